//! `cardlab doctor`: whether a program will see the simulated readers, and what is in the way.

use crate::exit::{Exit, Failure};
use cardlab_control::beside;
use cardlab_pcsclite::client::{Context, Error, default_socket};
use cardlab_pcsclite::wire::{SOCKET_VARIABLE, SYSTEM_SOCKET};
use cardlab_whole as whole;
use clap::Args;
use object::elf;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use rustix::net::sockopt::socket_peercred;
use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The library that programs reach cards with.
const LIBRARY: &str = "libpcsclite.so.1";
/// What gives a program readers of ours.
const HAVE_READERS: &str =
    "run the program with `cardlab exec -- PROGRAM`, or `cardlab up` and export the variable that it prints";
/// Most bytes of a program or library that is looked into.
const PROGRAM: u64 = 1 << 30;
/// Where the dynamic linker looks in the end (ld.so(8)).
const USUAL: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];

#[derive(Args)]
pub(crate) struct Doctor {
    /// The program, by its path or its name in PATH; none looks at the library and the PC/SC service only
    program: Option<String>,
}

/// One thing that was looked at.
enum Finding {
    Fine(String),
    /// What is in the way, and what to do.
    Blocks(String, &'static str),
}

use Finding::{Blocks, Fine};

impl Doctor {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut findings = Vec::new();
        if let Some(program) = &self.program {
            let Some(path) = found(program) else {
                return Err(Failure { exit: Exit::NOT_THERE, error: anyhow::anyhow!("{program}: there is no such program") });
            };
            of_program(&path, &mut findings);
        } else {
            findings.push(of_library());
        }
        of_service(&mut findings);
        let blocked = findings.iter().any(|finding| matches!(finding, Blocks(..)));
        for finding in findings {
            match finding {
                Fine(text) => println!("ok   {text}"),
                Blocks(text, fix) => println!("no   {text}\n     fix: {fix}"),
            }
        }
        Ok(if blocked { Exit::FAILED } else { Exit::FINE })
    }
}

/// Whether the library is there, for programs in general.
fn of_library() -> Finding {
    match placed(LIBRARY, &[], Path::new("/")) {
        Some(library) => Fine(format!("programs load {}", library.display())),
        None => Blocks(format!("{LIBRARY} is not installed: programs that reach cards with it see none"), "install libpcsclite1"),
    }
}

/// A program by its path or its name.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}

fn of_program(path: &Path, findings: &mut Vec<Finding>) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    findings.push(Fine(format!("program {}", real.display())));
    if let Ok(metadata) = real.metadata() {
        let mode = metadata.permissions().mode();
        if mode & 0o6000 != 0 {
            let who = if mode & 0o4000 != 0 { "setuid" } else { "setgid" };
            findings
                .push(of_raised(&format!("it is {who}"), "run `cardlab up --system` as root, which listens where pcscd does"));
        }
        if mode & 0o111 == 0 {
            findings.push(Blocks("it is not executable".into(), "chmod +x it"));
        }
    }
    let mut capabilities = [0; 32];
    if rustix::fs::getxattr(&real, "security.capability", &mut capabilities[..]).is_ok() {
        let fix = "run `cardlab up --system` as root, or a copy of the program without capabilities";
        findings.push(of_raised("it has file capabilities", fix));
    }
    if real.starts_with("/snap") || real.starts_with("/var/lib/flatpak") {
        findings.push(Blocks(
            "it runs in a sandbox of snap or flatpak, which shows it other files".into(),
            "use the package of the distribution, or allow the sandbox the socket's directory",
        ));
    }
    match whole::read(&real, PROGRAM) {
        Err(error) => findings.push(Blocks(format!("it cannot be read: {error}"), "run the doctor as a user who may read it")),
        Ok(bytes) if bytes.starts_with(b"#!") => {
            let line =
                String::from_utf8_lossy(&bytes[2..bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len())]).into_owned();
            let words: Vec<&str> = line.split_whitespace().collect();
            let interpreter = words.iter().find(|word| !word.ends_with("/env") && !word.starts_with('-'));
            findings.push(Fine(format!("it is a script for {line}")));
            if let Some(path) = interpreter.and_then(|name| found(name)) {
                of_binary(&path.canonicalize().unwrap_or(path), findings);
            }
        }
        Ok(_) => of_binary(&real, findings),
    }
}

/// A program with more rights than its user, to which the variable says nothing.
fn of_raised(what: &str, fix: &'static str) -> Finding {
    let ignores = format!("{what}: libpcsclite ignores {SOCKET_VARIABLE} in such programs");
    if is_ours(Path::new(SYSTEM_SOCKET)) {
        Fine(format!("{ignores} and goes to {SYSTEM_SOCKET}, where cardlab listens"))
    } else {
        Blocks(ignores, fix)
    }
}

/// Which library a program loads.
fn of_binary(path: &Path, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![path.to_owned()];
    let mut opened = None;
    while let Some(file) = waiting.pop() {
        if !seen.insert(file.clone()) {
            continue;
        }
        let Ok(bytes) = whole::read(&file, PROGRAM) else { continue };
        let Some((needed, directories)) = needs(&bytes) else {
            if file == path {
                findings
                    .push(Blocks(format!("{} is no program of this machine's kind", file.display()), "give the program itself"));
                return;
            }
            continue;
        };
        if file == path && needed.is_empty() {
            findings.push(Blocks(
                "it is linked statically: if it speaks to cards, it does so in its own way".into(),
                "if it has libpcsclite in it, the socket's variable works all the same; try it under `cardlab exec`",
            ));
            return;
        }
        // A name in the file itself is one that is opened later.
        if opened.is_none() && bytes.windows(LIBRARY.len()).any(|window| window == LIBRARY.as_bytes()) {
            opened = Some(file.clone());
        }
        for name in needed {
            match placed(&name, &directories, &file) {
                Some(library) if name == LIBRARY => {
                    findings.push(Fine(format!("it loads {} (named by {})", library.display(), file.display())));
                    return;
                }
                Some(library) => waiting.push(library),
                None if name == LIBRARY => {
                    findings.push(Blocks(
                        format!("{} needs {LIBRARY}, which is not installed", file.display()),
                        "install libpcsclite1",
                    ));
                    return;
                }
                None => {}
            }
        }
    }
    match (opened, placed(LIBRARY, &[], path)) {
        (Some(by), Some(library)) => findings.push(Fine(format!("{} opens {} when it runs", by.display(), library.display()))),
        (Some(by), None) => {
            findings.push(Blocks(format!("{} opens {LIBRARY}, which is not installed", by.display()), "install libpcsclite1"));
        }
        (None, _) => findings
            .push(Fine("nothing it is linked with names libpcsclite; modules that it opens (PKCS#11, engines) may".into())),
    }
}

/// The libraries that an ELF file names, and where it wants them looked for; `None` for another kind of file.
fn needs(bytes: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
    let file = ElfFile64::<object::Endianness>::parse(bytes).ok()?;
    let endian = file.endian();
    let header = file.elf_header();
    let segments = header.program_headers(endian, bytes).ok()?;
    let dynamic = segments.iter().find_map(|segment| segment.dynamic(endian, bytes).ok().flatten()).unwrap_or_default();
    let value = |tag: elf::DynamicTag| dynamic.iter().find(|entry| entry.d_tag(endian) == tag).map(|entry| entry.d_val(endian));
    let (address, size) = (value(elf::DT_STRTAB).unwrap_or(0), value(elf::DT_STRSZ).unwrap_or(0));
    let strings =
        segments.iter().find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten()).unwrap_or_default();
    let text = |offset: u64| {
        let rest = strings.get(usize::try_from(offset).ok()?..)?;
        Some(CStr::from_bytes_until_nul(rest).ok()?.to_string_lossy().into_owned())
    };
    let all = |tag: elf::DynamicTag| {
        dynamic.iter().filter(move |entry| entry.d_tag(endian) == tag).filter_map(|entry| text(entry.d_val(endian)))
    };
    let directories =
        all(elf::DT_RUNPATH).chain(all(elf::DT_RPATH)).flat_map(|path| path.split(':').map(str::to_owned).collect::<Vec<_>>());
    Some((all(elf::DT_NEEDED).collect(), directories.collect()))
}

/// Where the dynamic linker finds a library.
fn placed(name: &str, directories: &[String], of: &Path) -> Option<PathBuf> {
    let origin = of.parent().unwrap_or(Path::new("/")).display().to_string();
    let given = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let own = directories.iter().map(|dir| dir.replace("$ORIGIN", &origin));
    let all = given.split(':').filter(|dir| !dir.is_empty()).map(str::to_owned).chain(own).chain(USUAL.map(str::to_owned));
    all.map(|dir| Path::new(&dir).join(name)).find(|path| path.is_file())
}

/// By their numbers: a container has other names for them.
fn this_user() -> String {
    let mut groups: Vec<String> =
        rustix::process::getgroups().unwrap_or_default().iter().map(|g| g.as_raw().to_string()).collect();
    let own = rustix::process::getegid().as_raw().to_string();
    if !groups.contains(&own) {
        groups.insert(0, own);
    }
    format!("user {}, groups {}", rustix::process::geteuid().as_raw(), groups.join(" "))
}

/// What systemd makes for the service of `dist/systemd` while it runs, and takes away with it.
const OF_THE_SERVICE: &str = "/run/cardlab";

/// Whether `up` or `exec` of cardlab listens at a socket. One that systemd passed has nothing of ours beside it; then it is
/// told by who listens, and where systemd itself does, by what it has made for our service.
fn is_ours(socket: &Path) -> bool {
    let listens = || {
        let process = socket_peercred(UnixStream::connect(socket).ok()?).ok()?.pid;
        let name = std::fs::read_to_string(format!("/proc/{}/comm", process.as_raw_nonzero())).ok()?;
        let for_service = || Context::establish_at(socket).is_ok() && Path::new(OF_THE_SERVICE).exists();
        Some(name.trim_end() == "cardlab" || name.trim_end() == "systemd" && for_service())
    };
    std::fs::metadata(socket).is_ok() && (beside(socket).exists() || listens().unwrap_or(false))
}

fn of_service(findings: &mut Vec<Finding>) {
    let socket = default_socket();
    let set = std::env::var_os(SOCKET_VARIABLE).is_some();
    let there = std::fs::metadata(&socket);
    if let (false, Err(error)) = (set, &there)
        && error.kind() == ErrorKind::NotFound
    {
        findings.push(Blocks(
            format!("{SOCKET_VARIABLE} is not set, and where programs go then, {SYSTEM_SOCKET}, nothing listens"),
            HAVE_READERS,
        ));
        return;
    }
    if set {
        findings.push(Fine(format!("{SOCKET_VARIABLE} names {}", socket.display())));
    } else if is_ours(&socket) {
        findings.push(Fine(format!("{SOCKET_VARIABLE} is not set: programs go to {SYSTEM_SOCKET}, where cardlab listens")));
    } else {
        findings.push(Blocks(format!("{SOCKET_VARIABLE} is not set: programs go to {SYSTEM_SOCKET}"), HAVE_READERS));
    }
    match there {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            findings.push(Blocks(format!("{} is no socket", socket.display()), "name the socket that `cardlab up` prints"));
            return;
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            findings.push(Blocks(
                format!("{}: a directory of it is closed to this user ({})", socket.display(), this_user()),
                "put the socket where this user may go: `cardlab up --socket PATH --socket-mode 0666`",
            ));
            return;
        }
        Err(error) => {
            findings.push(Blocks(format!("{}: {error}", socket.display()), "start `cardlab up`, or take the variable back"));
            return;
        }
        Ok(metadata) => {
            if let Err(Error::NoService { reason, .. }) = Context::establish_at(&socket)
                && reason.kind() == ErrorKind::PermissionDenied
            {
                let (owner, group, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o777);
                findings.push(Blocks(
                    format!(
                        "{} is closed to this user ({}): it belongs to user {owner} and group {group}, mode {mode:04o}",
                        socket.display(),
                        this_user()
                    ),
                    "start `cardlab up` with --socket-mode 0666 or with a --socket-group of this user, or run the program as the owner",
                ));
                return;
            }
        }
    }
    match Context::establish_at(&socket).and_then(|context| context.readers()) {
        Err(error @ Error::NoService { .. }) => findings.push(Blocks(error.to_string(), "start `cardlab up` again")),
        Err(error) => findings.push(Blocks(format!("{}: {error}", socket.display()), "start `cardlab up` again")),
        Ok(readers) => {
            let ours = is_ours(&socket);
            let whose = if ours { "cardlab" } else { "a PC/SC service" };
            let names: Vec<String> = readers.into_iter().map(|reader| reader.name).collect();
            let number = match names.len() {
                0 => "no reader".into(),
                1 => format!("one reader: {}", names[0]),
                several => format!("{several} readers: {}", names.join(", ")),
            };
            findings.push(Fine(format!("{whose} answers there, with {number}")));
            let me = rustix::process::geteuid().as_raw();
            if let Some(owner) =
                std::fs::metadata(beside(&socket)).ok().map(|control| control.uid()).filter(|uid| *uid != me && me != 0)
            {
                findings.push(Fine(format!(
                    "the readers are those of user {owner}: programs of this user see the cards, `cardlab card insert` and its kind are for that user alone"
                )));
            }
        }
    }
}
