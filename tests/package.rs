//! The Debian package, which `dist/deb/build` makes, on a Debian that has nothing but what it asks for.

use crate::common::{Lab, has};
use std::path::{Path, PathBuf};

fn package() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian");
    let files = std::fs::read_dir(&directory).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let package = files.filter(|path| path.extension().is_some_and(|e| e == "deb")).max();
    package.unwrap_or_else(|| panic!("{}: build it with `dist/deb/build dev --built`, as tests/run does", directory.display()))
}

/// What Debian's own checker says, and what the program needs.
#[test]
fn is_as_debian_asks() {
    let lab = Lab::new("gids");
    let package = package().display().to_string();
    let depends = lab.host(&format!("dpkg-deb -f {package} Depends")).ok();
    assert!(depends.contains("libc6 (>= ") && depends.contains("libgcc-s1"), "{depends}");
    lab.host(&format!("lintian --tag-display-limit 0 --fail-on error,warning {package}")).ok();
}

/// The pages lie in it as they do here: what they lead to is in it as well.
#[test]
fn has_what_its_pages_lead_to() {
    let lab = Lab::new("gids");
    let text = lab.host(&format!("dpkg-deb -x {} root && cd root/usr/share/doc/cardlab && find .", package().display())).ok();
    let files: Vec<&str> = text.lines().collect();
    let mut seen = 0;
    for page in files.iter().filter(|name| name.ends_with(".md")) {
        let text = lab.read(&format!("root/usr/share/doc/cardlab/{page}"));
        // What stands in code is no link.
        let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
        let prose = prose.collect::<Vec<_>>().join("`");
        let links = prose.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap());
        for link in links.filter(|link| !link.is_empty() && !link.starts_with("http")) {
            let path = lab.file("root/usr/share/doc/cardlab").join(Path::new(page).with_file_name(link));
            assert!(path.exists(), "{page}: {link} is not in the package");
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen}");
    has(
        &text,
        &["./docs/images/lock-screen.png", "./docs/start.md", "./kits/go/card.go", "./examples/help-desk", "./changelog.gz"],
    );
}

/// A package that was built without one of its tools would not say what it depends on.
#[test]
fn does_not_come_out_without_its_tools() {
    let lab = Lab::new("gids");
    let tools = ["dpkg-shlibdeps", "dpkg-deb", "strip", "gzip"];
    for missing in tools {
        let there = tools.iter().filter(|tool| **tool != missing).copied().collect::<Vec<_>>().join(" ");
        let text = lab.host(&format!(
            "rm -rf bin; mkdir bin; for tool in bash env dirname {there}; do ln -s \"$(command -v $tool)\" bin/$tool; done
             PATH=$PWD/bin {}/dist/deb/build dev --built",
            env!("CARGO_MANIFEST_DIR")
        ));
        has(&text.code(2), &[&format!("needs {missing}: apt-get install")]);
    }
    assert!(package().exists());
}

#[test]
fn installs_and_works_on_a_clean_debian() {
    let lab = Lab::new("gids");
    std::fs::copy(package(), lab.file("cardlab.deb")).unwrap();
    // The last line of each part is what the part is about.
    let script = r#"
        mmdebstrap --quiet --variant=apt --mode=root --include=opensc bookworm root
        trap 'rm -rf --one-file-system root' EXIT
        cp /etc/resolv.conf root/etc/resolv.conf
        mv cardlab.deb root/root/
        inside() { chroot root env -u XDG_CACHE_HOME DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C bash -euo pipefail -c "$1"; }
        inside 'dpkg --install /root/cardlab.deb >/dev/null; cardlab exec --card gids,serial=7 -- cardlab card status | grep "^card "'
        inside 'cardlab doctor opensc-tool || :'
        inside 'cardlab doctor || :'
        inside 'apt-get update -qq; apt-get install -qq -y libpcsclite1 >/dev/null 2>&1; cardlab exec --card yubikey-5.4 -- opensc-tool -l'
        inside 'cardlab exec --card gids -- pkcs11-tool --module opensc-pkcs11.so -l --pin 999999 -O || echo refused'
        inside 'zcat /usr/share/man/man1/cardlab-exec.1.gz | head -n 5; bash -nc ". /usr/share/bash-completion/completions/cardlab"; dpkg --verify cardlab && echo verified'
        inside 'ldd /usr/lib/cardlab/libcardlab_ifd.so | grep -c "not found" || :; /usr/lib/cardlab/install-ifd /run/x 1; cat /etc/reader.conf.d/cardlab; /usr/lib/cardlab/install-ifd --remove'
        inside 'apt-get purge -qq -y cardlab >/dev/null 2>&1; test ! -e /usr/bin/cardlab -a ! -e /usr/lib/cardlab -a ! -e /etc/reader.conf.d/cardlab && echo gone'
    "#;
    let text = lab.host(&format!("exec 2>&1; {script}")).ok();
    has(
        &text,
        &[
            "card          GIDS card",
            "/usr/bin/opensc-tool opens libpcsclite.so.1, which is not installed",
            "fix: install libpcsclite1",
            "no   libpcsclite.so.1 is not installed: programs that reach cards with it see none",
            "no   PCSCLITE_CSOCK_NAME is not set, and where programs go then, /run/pcscd/pcscd.comm, nothing listens",
            "Yubico YubiKey CCID 00 00",
            "CKR_PIN_INCORRECT",
            "refused",
            ".TH cardlab-exec 1",
            "verified",
            "LIBPATH /usr/lib/cardlab/libcardlab_ifd.so",
            "gone",
        ],
    );
}
