//! A page in Markdown as the tests read it: its fences, links and headings, with the lines that they stand in.

use std::path::{Path, PathBuf};

/// A page.
pub(super) struct Document {
    /// Where it is, from the root of the repository.
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

/// A fenced block: what its fence says of it, and its lines.
pub(super) struct Fence<'d> {
    /// The word behind the fence.
    pub(super) language: &'d str,
    /// The first line inside, counted from 0.
    pub(super) first: usize,
    pub(super) lines: &'d [String],
    /// What is to be done before it is run (`<!-- before: .. -->` above the fence).
    pub(super) before: Vec<&'d str>,
}

/// The root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Document {
    pub(super) fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.into(), lines: text.lines().map(str::to_owned).collect() }
    }

    /// The pages at the root of the repository, those of `docs`, of the kits and of the examples.
    pub(super) fn all() -> Vec<Self> {
        let listed = |directory: PathBuf| std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let kits = listed(root().join("kits")).filter(|path| path.is_dir());
        let directories = ["", "docs", "kits", "examples"].map(|directory| root().join(directory)).into_iter().chain(kits);
        let mut paths: Vec<PathBuf> = directories.flat_map(listed).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        paths.iter().map(|path| Self::read(&path.strip_prefix(root()).unwrap().display().to_string())).collect()
    }

    /// Its fenced blocks, in their order; those in a list are indented.
    pub(super) fn fences(&self) -> Vec<Fence<'_>> {
        let mut found = Vec::new();
        let mut open: Option<(usize, &str)> = None;
        let mut before = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            let line = line.trim();
            match (open, line.strip_prefix("```")) {
                (None, Some(language)) => open = Some((number + 1, language)),
                (Some((first, language)), Some("")) => {
                    let lines = &self.lines[first..number];
                    found.push(Fence { language, first, lines, before: std::mem::take(&mut before) });
                    open = None;
                }
                (None, None) => {
                    before.extend(line.strip_prefix("<!-- before: ").and_then(|rest| rest.strip_suffix(" -->")));
                }
                _ => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name);
        found
    }

    /// The lines that stand in no fence, with their numbers from 0.
    pub(super) fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut found = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            if line.trim_start().starts_with("```") {
                inside = !inside;
            } else if !inside {
                found.push((number, line.as_str()));
            }
        }
        found
    }
}
