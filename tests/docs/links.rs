//! Links of the pages lead somewhere, and every page is led to.

use super::document::{Document, root};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// A link of a page: the line from 1, and where it leads.
fn links(page: &Document) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in page.prose() {
        // What stands in code is no link.
        let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) =
                after.split_once(')').unwrap_or_else(|| panic!("{}:{}: a link is not closed", page.name, number + 1));
            found.push((number + 1, target.to_owned()));
            rest = after;
        }
    }
    found
}

/// The names of a page's headings, as forges make them.
fn anchors(page: &Document) -> BTreeSet<String> {
    let headings = page.prose().into_iter().filter(|(_, line)| line.starts_with('#'));
    let slug = |line: &str| -> String {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    headings.map(|(_, line)| slug(line)).collect()
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
        plain
    })
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in Document::all() {
        for (line, target) in links(&page) {
            seen += 1;
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let at = Path::new(&page.name).parent().unwrap().join(file);
            let at = if file.is_empty() { PathBuf::from(&page.name) } else { plain(&at) };
            let there = root().join(&at).exists();
            if !there || !anchor.is_empty() && !anchors(&Document::read(at.to_str().unwrap())).contains(anchor) {
                wrong.push(format!("{}:{line}: {target}", page.name));
            }
        }
    }
    assert!(seen > 60, "{seen} links");
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_list_of_pages() {
    let list = Document::read("docs/README.md");
    let listed: BTreeSet<String> = links(&list).into_iter().map(|(_, target)| format!("docs/{target}")).collect();
    let pages = Document::all().into_iter().map(|page| page.name).filter(|name| name.starts_with("docs/") && *name != list.name);
    let missing: Vec<String> = pages.filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "docs/README.md does not name {missing:?}");
}

/// The table that says where a change goes names files and folders that there are, from the root.
#[test]
fn the_map_leads_to_what_there_is() {
    let page = Document::read("docs/architecture.md");
    let map = page.lines.iter().skip_while(|line| *line != "## Where to put a change").skip(1);
    let rows = map.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| "));
    let mut seen = 0;
    for row in rows {
        // What has a space in it is a command or code.
        let paths = row.split('`').skip(1).step_by(2).filter(|code| code.contains('/') && !code.contains(' '));
        for path in paths {
            seen += 1;
            assert!(root().join(path).exists(), "{path} is not there: {row}");
        }
    }
    assert!(seen > 70, "{seen} paths");
}

#[test]
fn the_readme_is_read_in_a_minute() {
    let length = std::fs::metadata(root().join("README.md")).unwrap().len();
    assert!(length < 6000, "README.md has {length} bytes; what is more goes to docs");
}
