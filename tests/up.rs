//! `cardlab up`: sockets that stay, systemd's protocols, the system's socket, pcscd with vpcd.

use crate::common::{CARDLAB, Lab, Up, has, said};
use std::process::{Command, Stdio};

fn list(socket: &str) -> String {
    said(Command::new(CARDLAB).env("PCSCLITE_CSOCK_NAME", socket).args(["card", "list"]).output().unwrap()).ok()
}

#[test]
fn a_socket_that_stays_until_told() {
    let lab = Lab::new("nist-piv");
    let socket = lab.file("s");
    let socket = socket.to_str().unwrap();
    for signal in ["-TERM", "-INT"] {
        let up = Up::start(&lab, &["--socket", socket, "--card", "nist-piv", "--card", "yubikey-5.4"]);
        assert_eq!(up.ready, format!("ready PCSCLITE_CSOCK_NAME={socket}"));
        assert_eq!(list(socket).lines().count(), 2);
        let second = said(Command::new(CARDLAB).args(["up", "--socket", socket]).output().unwrap()).code(2);
        has(&second, &["another server listens there"]);
        assert_eq!(up.stop(signal), Some(0));
        assert!(!std::path::Path::new(socket).exists(), "nothing is left behind");
    }
    let long = format!("/tmp/{}", "x".repeat(110));
    has(&said(Command::new(CARDLAB).args(["up", "--socket", &long]).output().unwrap()).code(2), &["at most 107 are possible"]);
    lab.write("precious", "keep me");
    let file = lab.file("precious");
    has(
        &said(Command::new(CARDLAB).args(["up", "--socket", file.to_str().unwrap()]).output().unwrap()).code(2),
        &["not a socket; it was left alone"],
    );
    assert_eq!(lab.read("precious"), "keep me");
}

/// While cards are made: nobody writes into the pipe that a key is read from, which is waited for.
#[test]
fn a_signal_ends_it_before_it_is_up() {
    let lab = Lab::new("nist-piv");
    let socket = lab.file("s");
    for signal in ["-TERM", "-INT"] {
        let mut command = Command::new(CARDLAB);
        command.args(["up", "--card", "nist-piv,9a=/dev/stdin", "--socket"]).arg(&socket).stdin(Stdio::piped());
        let mut up = command.stdout(Stdio::piped()).spawn().unwrap();
        while !socket.exists() {
            assert!(up.try_wait().unwrap().is_none(), "it has ended");
        }
        let _silent = up.stdin.take();
        Command::new("kill").args([signal, &up.id().to_string()]).status().unwrap();
        assert_eq!(up.wait().unwrap().code(), Some(0), "{signal}");
        assert!(!socket.exists(), "nothing is left behind");
    }
}

/// A recording goes into a pipe that nobody reads: the cards go on, which is told once, and a signal ends it.
#[test]
fn a_recording_that_nobody_reads_holds_nothing_up() {
    let lab = Lab::new("yubikey-5.4");
    let (unread, theirs) = std::io::pipe().unwrap();
    let mut command = Command::new(CARDLAB);
    command.args(["up", "--card", "yubikey-5.4", "--trace", "/dev/fd/0"]).stdin(theirs);
    let mut up = Up::from(command.stderr(std::fs::File::create(lab.file("said")).unwrap()));
    // More than a pipe holds, and than waits before it.
    let script = "opensc-tool $(printf -- '-s 00:20:00:80 %.0s' $(seq 6000)) 2>/dev/null | grep -c 'Received (SW1='";
    assert_eq!(up.sh(&lab, script).ok(), "6000\n");
    let told =
        "cardlab: --trace /dev/fd/0: nobody reads what is written there; the cards go on, and what happens is not recorded";
    while !lab.read("said").contains(told) {
        assert!(up.child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::yield_now();
    }
    assert_eq!(up.stop("-TERM"), Some(0));
    drop(unread);
    assert_eq!(lab.read("said").matches("--trace").count(), 1, "{}", lab.read("said"));
}

#[test]
fn a_private_socket_by_default_and_a_restart_after_kill_9() {
    let lab = Lab::new("nist-piv");
    let up = Up::start(&lab, &[]);
    let socket = up.ready.strip_prefix("ready PCSCLITE_CSOCK_NAME=").unwrap().to_owned();
    has(&list(&socket), &["cardlab NIST PIV 00 00"]);
    assert_eq!(up.stop("-TERM"), Some(0));
    assert!(!std::path::Path::new(&socket).exists());
    let socket = lab.file("s");
    let socket = socket.to_str().unwrap();
    let up = Up::start(&lab, &["--socket", socket]);
    up.stop("-KILL");
    let control = lab.file("s.control");
    assert!(control.exists(), "both sockets are left");
    let up = Up::start(&lab, &["--socket", socket]);
    has(&list(socket), &["cardlab NIST PIV 00 00"]);
    let show = || said(Command::new(CARDLAB).env("PCSCLITE_CSOCK_NAME", socket).args(["card", "show"]).output().unwrap());
    has(&show().ok(), &["cardlab NIST PIV 00 00"]);
    // Somebody listens there: neither is taken away.
    let second = Command::new(CARDLAB).args(["up", "--control", control.to_str().unwrap()]).output().unwrap();
    has(&said(second).code(2), &["another server listens there; end it, or name another path"]);
    has(&show().ok(), &["cardlab NIST PIV 00 00"]);
    let nowhere = Command::new(CARDLAB).args(["up", "--socket"]).arg(lab.file("none/s")).output().unwrap();
    has(&said(nowhere).code(2), &["none/s: there is no such directory; make it first"]);
    drop(up);
    // A socket of another kind is another program's.
    let other = lab.file("datagrams");
    let datagrams = std::os::unix::net::UnixDatagram::bind(&other).unwrap();
    let refused = said(Command::new(CARDLAB).args(["up", "--socket", other.to_str().unwrap()]).output().unwrap()).code(2);
    has(&refused, &["there is a socket of another program", "it was left alone"]);
    std::os::unix::net::UnixDatagram::unbound().unwrap().send_to(b"x", &other).unwrap();
    drop(datagrams);
}

/// Containers run programs as other users: whom the socket is open to, and what the doctor says to whom it is not.
#[test]
fn other_users() {
    let lab = Lab::new("nist-piv");
    lab.host(&format!("chmod 711 . && mkdir -m 711 open && mkdir -m 700 shut && cp {CARDLAB} cardlab && chmod 755 cardlab")).ok();
    let other = |socket: &str, command: &str| {
        let user = "setpriv --reuid 65534 --regid 65534 --groups 4242";
        lab.host(&format!("{user} env PCSCLITE_CSOCK_NAME=$PWD/{socket} ./cardlab {command}"))
    };
    let up = |socket: &str, options: &[&str]| Up::start(&lab, &[&["--socket", socket], options].concat());
    let closed = up("open/s", &[]);
    let sentence = "open/s is closed to this user (user 65534, groups 65534 4242): it belongs to user 0 and group 0, mode 0600";
    has(&other("open/s", "doctor").code(1), &[sentence, "start `cardlab up` with --socket-mode 0666 or with a --socket-group"]);
    other("open/s", "card list").code(3);
    drop(closed);
    for (options, file) in [
        (&["--socket-mode", "0666"][..], "666 0"),
        (&["--socket-group", "4242"], "660 4242"),
        (&["--socket-mode", "0620", "--socket-group", "4242"], "620 4242"),
        (&["--socket-mode", "666", "--socket-group", "root"], "666 0"),
    ] {
        let up = up("open/s", options);
        assert_eq!(lab.host("stat -c '%a %g' open/s; stat -c '%a %g' open/s.control").ok(), format!("{file}\n600 0\n"));
        has(&other("open/s", "card list").ok(), &["cardlab NIST PIV 00 00"]);
        has(&other("open/s", "doctor").ok(), &["cardlab answers there, with one reader: ", "the readers are those of user 0"]);
        drop(up);
    }
    let _hidden = up("shut/s", &["--socket-mode", "0666"]);
    has(&other("shut/s", "doctor").code(1), &["shut/s: a directory of it is closed to this user (user 65534"]);
    let wrong = |options: &[&str]| said(Command::new(CARDLAB).arg("up").args(options).output().unwrap()).code(2);
    for mode in ["0777", "0060", "rw", "1666"] {
        has(&wrong(&["--socket", "/tmp/s", "--socket-mode", mode]), &["octal permission bits between 0600 and 0666"]);
    }
    has(&wrong(&["--socket", "/tmp/s", "--socket-group", "no-such-group"]), &["no such group in /etc/group; give its number"]);
    has(&wrong(&["--socket-mode", "0666"]), &["--socket <PATH>"]);
}

/// A number that nobody has opened is no descriptor of cardlab's own.
#[test]
fn a_descriptor_that_is_not_there_is_refused() {
    for fd in ["7", "9"] {
        let up = Command::new(CARDLAB).args(["up", "--ready-fd", fd]).output().unwrap();
        has(&said(up).code(2), &[&format!("--ready-fd {fd}: nothing is open there")]);
    }
}

#[test]
fn ready_fd_and_systemd() {
    let lab = Lab::new("nist-piv");
    let script = format!(
        "mkfifo ready; {CARDLAB} up --socket $PWD/s --ready-fd 7 7>ready >/dev/null & read -r line <ready; echo $line; kill %1; wait %1"
    );
    let text = lab.host(&script).ok();
    assert!(text.starts_with("ready PCSCLITE_CSOCK_NAME=/"), "{text}");
    // sd_notify: a datagram to NOTIFY_SOCKET.
    let notify = std::os::unix::net::UnixDatagram::bind(lab.file("notify")).unwrap();
    let mut command = Command::new(CARDLAB);
    command.current_dir(lab.path()).env("NOTIFY_SOCKET", lab.file("notify")).args(["up", "--socket", "s2"]);
    let up = Up::from(&mut command);
    assert_eq!(up.ready, format!("ready PCSCLITE_CSOCK_NAME={}", lab.file("s2").display()), "absolute");
    let mut message = [0; 100];
    let n = notify.recv(&mut message).unwrap();
    assert_eq!(&message[..n], b"READY=1\n");
    drop(up);
    // LISTEN_FDS: the socket exists before the server does, which starts at the first client.
    let socket = lab.file("s3");
    let mut command = Command::new("systemd-socket-activate");
    command
        .args(["-l", socket.to_str().unwrap(), CARDLAB, "up"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let activated = Up { child: command.spawn().unwrap(), ready: String::new() };
    while !socket.exists() {
        std::thread::yield_now();
    }
    has(&list(socket.to_str().unwrap()), &["cardlab NIST PIV 00 00"]);
    drop(activated);
}

/// Setuid programs ignore PCSCLITE_CSOCK_NAME (libpcsclite 2.0 and newer); `up --system` serves them
/// where pcscd would: here a program that runs as "nobody".
#[test]
fn setuid_programs_and_services() {
    let lab = Lab::new("nist-piv");
    let script = format!(
        r#"mount -t tmpfs none /run/pcscd 2>/dev/null || {{ mkdir -p /run/pcscd; mount -t tmpfs none /run/pcscd; }}
        : >ready; {CARDLAB} up --system --card nist-piv,name=System >ready & server=$!
        while ! grep -q ready ready; do :; done
        stat -c %a /run/pcscd/pcscd.comm
        cp $(command -v opensc-tool) ./setuid-tool; chown nobody ./setuid-tool; chmod 4755 ./setuid-tool; chmod 755 .
        env -u PCSCLITE_CSOCK_NAME ./setuid-tool -l
        env -u PCSCLITE_CSOCK_NAME {CARDLAB} doctor ./setuid-tool
        kill $server; wait $server; echo "left: $(ls /run/pcscd)""#
    );
    let text = lab.host(&format!("unshare -m bash -euo pipefail -c '{}'", script.replace('\'', "'\\''"))).ok();
    has(&text, &["666", "System 00 00"]);
    let goes = "goes to /run/pcscd/pcscd.comm, where cardlab listens";
    has(&text, &[&format!("ok   it is setuid: libpcsclite ignores PCSCLITE_CSOCK_NAME in such programs and {goes}")]);
    has(&text, &["ok   PCSCLITE_CSOCK_NAME is not set", "cardlab answers there, with one reader: System 00 00"]);
    assert!(text.ends_with("left: \n"), "the socket goes with the server: {text}");
}

#[test]
fn pcscd_with_vpcd() {
    let lab = Lab::new("yubikey-5.4");
    // Debian's pcscd with its vpcd driver, private to this test by a mount and a network namespace.
    let card = "yubikey-5.4,serial=12345678,9a=new:rsa2048,9c=new:p256,9d=new:rsa2048,9e=new:p384";
    let script = format!(
        r#"ip link set lo up
        mkdir -p run; mount --bind run /run/pcscd 2>/dev/null || {{ mkdir -p /run/pcscd; mount --bind run /run/pcscd; }}
        {CARDLAB} up --card {card} --vpcd 127.0.0.1:35963 >ready & card=$!
        start() {{ pcscd --foreground >pcscd.log 2>&1 & daemon=$!; }}
        present() {{ for n in $(seq 200); do if opensc-tool -a 2>/dev/null | grep -q 3b:fd; then return; fi; read -t 0.1 <> <(:) || :; done; exit 8; }}
        start; present; cat ready
        opensc-tool -l; opensc-tool -n
        yubico-piv-tool -r '' -a status
        yubico-piv-tool -r '' -a generate -s 9e -A ECCP256 -o 9e.pub
        yubico-piv-tool -r '' -a verify-pin -P 123456
        pkcs11-tool --login --pin 123456 --test
        kill $daemon; wait $daemon || :; rm -f run/*
        start; present
        yubico-piv-tool -r '' -a verify-pin -P 123456
        kill $card $daemon"#
    );
    let text = lab.host(&format!("timeout 150 unshare -mn bash -euo pipefail -c '{}'", script.replace('\'', "'\\''"))).ok();
    has(&text, &["ready vpcd=127.0.0.1:35963", "Virtual PCD 00 00", "Serial Number:\t12345678", "No errors"]);
    assert_eq!(text.matches("Successfully verified PIN").count(), 2, "{text}");
}

#[test]
fn readers_as_usb_devices_are_their_owners() {
    let lab = Lab::new("gids");
    let cards = ["--card", "gids", "--card", "yubikey-5.7"];
    let modes = |names: &str| lab.host(&format!("stat -c %a {names}")).ok();
    let mut command = Command::new("bash");
    // Whatever the umask.
    command.current_dir(lab.path()).args([
        "-c",
        "umask 0; exec \"$@\"",
        "up",
        CARDLAB,
        "up",
        "--usbredir",
        "usb",
        "--usbip",
        "127.0.0.1:0",
    ]);
    let up = Up::from(command.args(cards));
    let word = |start: &str| up.ready.split(' ').filter_map(|word| word.strip_prefix(start)).collect::<Vec<_>>().join(" ");
    assert_eq!(word("usbredir="), format!("{0} {0}.1", lab.file("usb").display()), "{}", up.ready);
    assert!(word("usbip=").starts_with("127.0.0.1:"));
    assert_eq!(modes("usb usb.1"), "600\n600\n");
    let taken = said(Command::new(CARDLAB).current_dir(lab.path()).args(["up", "--usbredir", "usb"]).output().unwrap()).code(2);
    has(&taken, &["--usbredir", "another server listens there"]);
    assert_eq!(up.stop("-TERM"), Some(0));
    assert_eq!(std::fs::read_dir(lab.path()).unwrap().count(), 0, "the sockets go with it");
    // One device with a slot for each.
    let up = Up::start(&lab, &[&cards[..], &["--usb-slots", "--usbredir", "usb"]].concat());
    assert_eq!(up.ready.matches("usbredir=").count(), 1);
    assert!(!lab.file("usb.1").exists());
    drop(up);
    // Where whoever reaches it has the cards, that is said.
    let mut command = Command::new(CARDLAB);
    let log = std::fs::File::create(lab.file("said")).unwrap();
    let up = Up::from(command.args(["up", "--usbip", "0.0.0.0:0"]).stderr(log));
    has(&lab.read("said"), &["USB/IP has no authentication", "whoever reaches 0.0.0.0:"]);
    drop(up);
    for (wrong, told) in [
        (&["--usbip", "here"][..], "write an IP address such as 127.0.0.1"),
        (&["--usb-slots"], "--usb-slots needs --usbredir or --usbip"),
        (&["--vpcd", "127.0.0.1:1", "--usbip"], "cannot be used with"),
        (&["--card", "gids,usb=1050", "--usbip"], "'1050' is not VID:PID"),
    ] {
        has(&said(Command::new(CARDLAB).arg("up").args(wrong).output().unwrap()).code(2), &[told]);
    }
    let many = "--card gids ".repeat(17);
    has(
        &lab.host(&format!("{CARDLAB} up --usbip 127.0.0.1:0 --usb-slots {many}")).code(2),
        &["16 slots at most, and there are 17 cards"],
    );
}
