//! `cardlab exec` itself: exit codes, signals, what the command sees, what is left behind, state.

use crate::common::terminal::{Command as Shell, Terminal};
use crate::common::{CARDLAB, Lab, cardlab, has, said};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

#[test]
fn exit_codes_are_the_commands() {
    let lab = Lab::new("nist-piv");
    lab.run(&["true"]).code(0);
    lab.run(&["sh", "-c", "exit 42"]).code(42);
    lab.run(&["sh", "-c", "kill -TERM $$"]).code(143);
    has(&lab.run(&["no-such-command-here"]).code(127), &["cardlab: no-such-command-here: command not found"]);
    lab.write("plain", "text");
    has(&lab.run(&["./plain"]).code(126), &["cardlab: ./plain: Permission denied"]);
}

/// What begins with a dash is an option of `exec` until the command has begun, and from then on the command's.
#[test]
fn a_mistyped_option_is_not_taken_for_the_command() {
    let wrong = cardlab(&["exec", "--crad", "gids", "--", "true"]).code(2);
    has(&wrong, &["unexpected argument '--crad'", "a similar argument exists: '--card'"]);
    let lab = Lab::new("gids");
    let text = lab.host(&format!("{CARDLAB} exec --card gids sh -c 'echo \"$@\"' -- --card -x --")).ok();
    assert_eq!(text, "--card -x --\n");
    has(&lab.host(&format!("{CARDLAB} exec --card gids -- --card")).code(127), &["cardlab: --card: command not found"]);
}

#[test]
fn wrong_use_is_explained() {
    let wrong = |arguments: &[&str]| cardlab(&[&["exec"], arguments, &["--", "true"]].concat()).code(2);
    assert_eq!(
        wrong(&["--card", "yubikey-6"]),
        "cardlab: no profile named 'yubikey-6'; there are: gids, gids-blank, nist-piv, piv-admin, yubikey-4.3, yubikey-5.4, yubikey-5.7\n"
    );
    has(
        &wrong(&["--card", "nist-piv,colour=red"]),
        &[
            "no card setting named 'colour'; there are: name, pace, pin-pad, usb, usb-product, usb-serial, usb-speed, ca, owner, 9a,",
        ],
    );
    let slow = wrong(&["--card", "nist-piv,pace=slow"]);
    has(&slow, &["cardlab: pace 'slow': 'slow' is no time; write off, yubikey-5,"]);
    assert_eq!(slow.matches("is no time").count(), 1, "{slow}");
    has(&wrong(&["--fault", "1:mute"]), &["--fault 1:mute: there is no card 1; they are counted from 0"]);
    has(
        &wrong(&["--fault", "mute,applet=gids"]),
        &["this card has no applet 'gids', so the fault can never strike; it has: piv"],
    );
    has(&wrong(&["--fault", "fire"]), &["no fault named 'fire'; there are: power-cut,"]);
    for card in ["nist-piv,pin=4711", "nist-piv,puk=4711", "gids,pin=4711-is-too-long-for-it", "nist-piv,global-pin=4711"] {
        let said = wrong(&["--card", card]);
        assert!(said.contains("'..' is no value for ") && !said.contains("4711"), "{said}");
    }
    has(&wrong(&["--card", "nist-piv,pin=12"]), &["'..' is no value for pin: 6 to 8 digits"]);
    has(
        &wrong(&["--card", "nist-piv,9a=/no/such.pem"]),
        &["--card nist-piv,9a=/no/such.pem: /no/such.pem: there is no such file"],
    );
    has(&wrong(&["--trace", "/no/such/dir/t"]), &["--trace /no/such/dir/t: there is no such file"]);
    has(&wrong(&["--seed", "x"]), &["invalid value 'x' for '--seed <N>'"]);
    has(&cardlab(&["exec"]).code(2), &["<CMD>..."]);
    has(&cardlab(&["profile", "show", "nothing"]).code(2), &["there are: gids"]);
    has(&cardlab(&["up", "--vpcd", "nowhere"]).code(2), &["write HOST:PORT"]);
}

/// Programs before pcsc-lite 2.5 have a table of 16 readers; a program that speaks a version of tomorrow sees none.
#[test]
fn what_programs_cannot_see_is_said() {
    let sixteen = (1..16).fold(Lab::new("nist-piv"), |lab, _| lab.and("nist-piv"));
    assert_eq!(sixteen.run(&["true"]).ok(), "");
    let cards = "cardlab: 17 cards: programs with pcsc-lite before 2.5 (its protocol before 4:6) see the first 16 readers only\n";
    assert_eq!(sixteen.and("nist-piv").run(&["true"]).ok(), cards);
    let stranger = "import os, socket, struct\n\
        for version in [(4, 6), (5, 0), (5, 0)]:\n\
        \x20 s = socket.socket(socket.AF_UNIX); s.connect(os.environ['PCSCLITE_CSOCK_NAME'])\n\
        \x20 s.sendall(struct.pack('=5I', 12, 0x11, *version, 0)); print(*struct.unpack('=3I', s.recv(12)))";
    let lab = Lab::new("nist-piv");
    let text = lab.run(&["python3", "-c", stranger]).ok();
    has(
        &text,
        &[
            "4 6 0\n4 6 2148532254\n4 6 2148532254\n",
            "cardlab: a program speaks version 5:0 of pcsc-lite's protocol, these readers 4:4 to 4:6; it was told so, and sees no reader",
        ],
    );
    assert_eq!(text.matches("a program speaks").count(), 1, "{text}");
}

#[test]
fn the_command_sees_a_private_socket_and_cache() {
    let lab = Lab::new("nist-piv");
    let text = lab.sh("stat -c '%a %F' $PCSCLITE_CSOCK_NAME $(dirname $PCSCLITE_CSOCK_NAME); test -d $XDG_CACHE_HOME; echo $XDG_CACHE_HOME; dirname $PCSCLITE_CSOCK_NAME").ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["600 socket", "700 directory"]);
    assert_eq!(lines[2], format!("{}/cache", lines[3]));
    assert!(!std::path::Path::new(lines[3]).exists(), "nothing is left behind");
    let kept = Lab::new("nist-piv").with(&["--keep-cache"]);
    let output = kept.exec().env("XDG_CACHE_HOME", "/somewhere").args(["sh", "-c", "echo $XDG_CACHE_HOME"]).output().unwrap();
    assert_eq!(said(output).ok(), "/somewhere\n");
}

#[test]
fn signals_are_forwarded_and_nothing_is_left() {
    // Blocked before the line is printed, so that no signal can come too early.
    let script = "import os, signal, sys\n\
        expected = {getattr(signal, 'SIG' + sys.argv[1])}\n\
        signal.pthread_sigmask(signal.SIG_BLOCK, expected)\n\
        print(os.environ['PCSCLITE_CSOCK_NAME'], flush=True)\n\
        sys.exit(7 if signal.sigtimedwait(expected, 60) else 8)";
    let lab = Lab::new("nist-piv");
    for (signal, code) in [("TERM", 7), ("INT", 7), ("HUP", 7), ("USR1", 7)] {
        let mut command = lab.exec();
        command.args(["python3", "-c", script, signal]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(!std::path::Path::new(line.trim()).exists());
    }
}

/// While a password is asked for, which the terminal does not show: the shell that follows shows what is typed again.
#[test]
fn a_signal_before_the_command_leaves_nothing_and_a_terminal_that_shows() {
    let lab = Lab::new("nist-piv");
    lab.host("openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -passout pass:geheim -out key.pem").ok();
    let runtime = lab.file("run");
    std::fs::create_dir(&runtime).unwrap();
    let script = format!(
        "stty echo; {CARDLAB} exec --card nist-piv,9a=key.pem:ask -- true & echo process $! .; wait $!; echo ended $?
         case $(stty -a) in *' -echo '*) echo hidden;; *) echo shown;; esac"
    );
    let shell = Shell::new("bash").current_dir(lab.path()).env("XDG_RUNTIME_DIR", &runtime).args(["-c", &script]);
    let mut terminal = Terminal::run(shell);
    terminal.sees("process ");
    let process = terminal.sees(" .");
    terminal.sees("Password of key.pem: ");
    lab.host(&format!("kill -TERM {process}")).ok();
    terminal.sees("ended 143");
    terminal.sees("shown");
    assert_eq!(runtime.read_dir().unwrap().count(), 0);
}

#[test]
fn killed_runs_are_swept_at_the_next_start() {
    let base = tempfile::tempdir().unwrap();
    std::fs::set_permissions(base.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new(CARDLAB);
    command.env("XDG_RUNTIME_DIR", base.path()).args(["exec", "--", "sh", "-c", "echo ready; exec cat"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1, "kill -9 leaves its directory");
    Command::new(CARDLAB).env("XDG_RUNTIME_DIR", base.path()).args(["exec", "--", "true"]).status().unwrap();
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0, "and the next run sweeps it");
}

#[test]
fn four_runs_in_parallel_do_not_see_each_other() {
    let threads: Vec<_> = (1..=4)
        .map(|n| {
            std::thread::spawn(move || {
                let lab = Lab::new(&format!("yubikey-5.4,serial={n},name=Reader {n}"));
                for _ in 0..5 {
                    let text = lab.run(&[CARDLAB, "card", "list"]).ok();
                    assert_eq!(text.lines().count(), 1);
                    has(&text, &[&format!("Reader {n} 00 00: ATR 3BFD")]);
                    has(&lab.run(&[CARDLAB, "card", "status"]).ok(), &[&format!("serial        {n}\n")]);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn several_cards_make_several_readers() {
    let lab = Lab::new("nist-piv").and("yubikey-4.3,name=My Reader").and("yubikey-5.7,serial=77");
    let text = lab.run(&[CARDLAB, "card", "list"]).ok();
    has(&text, &["cardlab NIST PIV 00 00: ATR", "My Reader 01 00: ATR", "Yubico YubiKey CCID 02 00: ATR"]);
    has(&lab.run(&[CARDLAB, "card", "status", "--reader", "Yubico YubiKey CCID 02 00"]).ok(), &["serial        77"]);
    let json = lab.run(&[CARDLAB, "card", "list", "--json"]).ok();
    assert_eq!(json.matches("\"card\":true").count(), 3);
    has(
        &lab.run(&[CARDLAB, "card", "status", "--reader", "Nobody"]).code(3),
        &["no reader named 'Nobody'; there are: 'cardlab NIST PIV 00 00', 'My Reader 01 00'"],
    );
}

#[test]
fn nobody_serves() {
    let output = Command::new(CARDLAB).env("PCSCLITE_CSOCK_NAME", "/no/such/socket").args(["card", "list"]).output().unwrap();
    let text = said(output).code(3);
    has(&text, &["no PC/SC service at /no/such/socket: No such file", "; `cardlab doctor` says what to do"]);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed: &str| {
        let lab = Lab::new("yubikey-5.4,9a=new:p256").with(&["--seed", seed, "--trace", "trace"]);
        lab.sh(
            "yubico-piv-tool -a generate -s 9e -A ECCP384 -o pub; yubico-piv-tool -a attest -s 9e >a; yubico-piv-tool -a status",
        )
        .ok();
        // The host's own challenges differ; what the card makes does not.
        let made = lab.read("trace");
        made.lines().filter(|l| l.contains("< 7F 49") || l.contains("< 30 82")).map(str::to_owned).collect::<Vec<_>>()
    };
    let first = trace("7");
    assert!(first.len() >= 2, "{first:?}");
    assert_eq!(first, trace("7"));
    assert_ne!(first, trace("8"));
}

#[test]
fn traces_mask_secrets_unless_asked() {
    let script = "yubico-piv-tool -a verify-pin -P 123456";
    let lab = Lab::new("yubikey-5.4").with(&["--trace", "t"]);
    lab.sh(script).ok();
    let trace = lab.read("t");
    has(&trace, &["SELECT PIV", "> 00 20 00 80 08 [8 bytes masked]", "VERIFY, PIN"]);
    assert!(!trace.contains("31 32 33 34 35 36"), "{trace}");
    let lab = Lab::new("yubikey-5.4").with(&["--trace", "t", "--trace-secrets"]);
    lab.sh(script).ok();
    has(&lab.read("t"), &["00 20 00 80 08 31 32 33 34 35 36 FF FF"]);
    let lab = Lab::new("yubikey-5.4").with(&["--trace", "-"]);
    has(&lab.sh(script).ok(), &["VERIFY, PIN"]);
}

#[test]
fn state_is_kept_between_runs_also_over_kill_9() {
    let lab = Lab::new("yubikey-5.4").kept();
    let verify = |pin: &str| lab.run(&["yubico-piv-tool", "-a", "verify-pin", "-P", pin]);
    has(&verify("000000").fails(), &["2 tries left"]);
    let serial = || lab.run(&[CARDLAB, "card", "status"]).ok().lines().find(|l| l.starts_with("serial")).map(str::to_owned);
    let before = serial();
    for round in 0..10 {
        // In the middle of a storm of wrong and right PINs the server is killed.
        let mut command = lab.exec();
        command.args([
            "bash",
            "-c",
            "while yubico-piv-tool -a status >/dev/null; do yubico-piv-tool -a verify-pin -P 000000; yubico-piv-tool -a verify-pin -P 123456; done",
        ]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        for _ in 0..=round {
            reader.read_line(&mut String::new()).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let text = lab.run(&["yubico-piv-tool", "-a", "status"]).ok();
        assert!(["1", "2", "3"].iter().any(|n| text.contains(&format!("PIN tries left:\t{n}"))), "{text}");
        verify("123456").ok();
    }
    assert!(before.is_some() && serial() == before, "the same card");
}

#[test]
fn state_directories_that_cannot_be_used() {
    let lab = Lab::new("nist-piv").kept();
    lab.run(&["true"]).ok();
    assert_eq!(lab.file("state/cards.redb").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let other = lab.holding("yubikey-5.4");
    has(&other.run(&["true"]).code(2), &["the stored card is a nist-piv, not a yubikey-5.4"]);
    let lab = other.holding("nist-piv");
    let inside = lab.run(&[CARDLAB, "exec", "--state", "state", "--", "true"]).code(2);
    has(&inside, &["state directory state: another process uses these cards; stop it, or give another --state"]);
    lab.write("state/cards.redb", "this was a database once");
    has(&lab.run(&["true"]).code(2), &["cards.redb is damaged", "move it away to start with new cards"]);
    lab.write("file", "");
    has(
        &cardlab(&["exec", "--state", lab.file("file").to_str().unwrap(), "--", "true"]).code(2),
        &["file: it is a file, not a directory; name a directory"],
    );
    has(&cardlab(&["exec", "--state", "/proc/nothing", "--", "true"]).code(2), &["state directory /proc/nothing"]);
    lab.host("mkfifo pipe").ok();
    let pipe = lab.file("pipe");
    let pipe = pipe.to_str().unwrap();
    let says = "pipe: it is a named pipe, not a directory; name a directory";
    for command in [&["exec", "--state", pipe, "--", "true"][..], &["lab", "--state", pipe], &["manual", "--man", pipe]] {
        has(&cardlab(command).code(2), &[says]);
    }
}

/// A key that the card cannot hold used to leave an empty card in the state directory; the next run,
/// with the mistake mended, then took that card and its keys were silently missing.
#[test]
fn a_refused_key_leaves_no_card_behind() {
    for mistake in ["9a=new:ed25519", "9a=new:p256,9c=missing.pem", "9a=new:p256,ca=no/such/dir/ca.pem"] {
        let lab = Lab::new(&format!("nist-piv,{mistake}")).kept();
        lab.run(&["true"]).code(2);
        let mended = lab.holding("nist-piv,9a=new:p256");
        has(&mended.run(&[CARDLAB, "card", "status"]).ok(), &["certificates  9a\n"]);
    }
}

#[test]
fn a_full_disk_costs_no_card() {
    // A tmpfs of 1 MiB needs a mount namespace; where there is none the test says so and fails.
    let lab = Lab::new("yubikey-5.4").with(&["--state", "mnt/state"]);
    std::fs::create_dir(lab.file("mnt")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=2m none mnt
         {CARDLAB} exec --card yubikey-5.4 --state mnt/state -- yubico-piv-tool -a verify-pin -P 000000 || true
         dd if=/dev/zero of=mnt/fill bs=4k 2>/dev/null || true
         {CARDLAB} exec --card yubikey-5.4 --state mnt/state -- bash -c 'for n in $(seq 40); do head -c 3000 /dev/urandom >o; yubico-piv-tool -a write-object --id 0x5fff$((10 + n)) -i o -f binary || echo refused; done' >said 2>&1; tail -2 said; grep 'state directory' said
         rm mnt/fill
         {CARDLAB} exec --card yubikey-5.4 --state mnt/state -- yubico-piv-tool -a status"
    );
    let text = lab.host(&format!("unshare -rm bash -euo pipefail -c '{}'", script.replace('\'', "'\\''"))).ok();
    has(&text, &["refused", "PIN tries left:\t2"]);
    let told =
        "cardlab: state directory mnt/state: the disk is full; make room there; until then the cards refuse what they would";
    assert_eq!(text.matches("state directory").count(), 1, "{text}");
    has(&text, &[told]);
}

/// The card goes on, and whoever wants the recording is told.
#[test]
fn a_recording_that_cannot_be_written_is_told() {
    for form in ["t.txt", "t.jsonl"] {
        let lab = Lab::new("yubikey-5.4").with(&["--trace", form]);
        lab.host(&format!("ln -s /dev/full {form}")).ok();
        let text = lab.run(&["yubico-piv-tool", "-a", "verify-pin", "-P", "123456"]).ok();
        has(
            &text,
            &[
                "Successfully verified PIN",
                &format!("cardlab: --trace {form}: the disk is full; make room there; the cards go on"),
            ],
        );
        assert_eq!(text.matches("the disk is full").count(), 1, "{text}");
    }
    let lab = Lab::new("nist-piv").with(&["--trace", "t.pcapng"]);
    lab.host("ln -s /dev/full t.pcapng").ok();
    has(&lab.run(&["true"]).code(2), &["--trace t.pcapng: the disk is full; make room there"]);
}

/// At a named pipe one would wait for ever.
#[test]
fn a_certificate_goes_into_a_file() {
    let lab = Lab::new("nist-piv,9a=new:p256,ca=pipe");
    lab.host("mkfifo pipe").ok();
    has(&lab.run(&["true"]).code(2), &["pipe: it is a named pipe, not a file; name a file"]);
    has(
        &lab.holding("nist-piv,9a=new:p256,ca=/nowhere/ca.pem").run(&["true"]).code(2),
        &["/nowhere/ca.pem: there is no such file or directory"],
    );
}

#[test]
fn keys_from_files() {
    let lab = Lab::new("nist-piv,9a=k.pem:c.pem,9c=sec1.pem,9d=b.p12:geheim,9e=k.der");
    lab.host(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=from-pem -days 9
         openssl ecparam -name secp384r1 -genkey -out sec1.pem
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k2.pem -out c2.pem -subj /CN=from-p12 -days 9
         openssl pkcs12 -export -inkey k2.pem -in c2.pem -out b.p12 -passout pass:geheim
         openssl pkcs12 -export -legacy -inkey k2.pem -in c2.pem -out old.p12 -passout pass:geheim
         openssl pkey -in k.pem -outform DER -out k.der
         openssl pkey -in k.pem -aes256 -passout pass:x -out encrypted.pem
         openssl genpkey -algorithm dsa -pkeyopt dsa_paramgen_bits:1024 -out dsa.pem 2>/dev/null || openssl genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out p.pem && openssl genpkey -paramfile p.pem -out dsa.pem",
    )
    .ok();
    let text = lab.sh("for id in 01 03; do pkcs15-tool --read-certificate $id | openssl x509 -noout -subject; done").ok();
    has(&text, &["from-pem", "from-p12"]);
    let text = lab.sh("echo x >m; pkcs11-tool --module $(ls /usr/lib/*/opensc-pkcs11.so | head -1) --login --pin 123456 --id 01 -s -m SHA256-RSA-PKCS -i m -o s; openssl x509 -in c.pem -noout -pubkey >p; openssl dgst -sha256 -verify p -signature s m").ok();
    has(&text, &["Verified OK"]);
    let refused = |card: &str| {
        let output = Command::new(CARDLAB).current_dir(lab.path()).args(["exec", "--card", card, "--", "true"]).output().unwrap();
        said(output).code(2)
    };
    has(
        &refused("nist-piv,9a=encrypted.pem"),
        &["encrypted.pem: the private key is encrypted; add its password: FILE:env:VARIABLE"],
    );
    has(&refused("nist-piv,9a=dsa.pem"), &["dsa.pem: a key for DSA; cards hold RSA of 1024,"]);
    has(&refused("nist-piv,9a=c.pem"), &["c.pem: no private key in it; what it has: CERTIFICATE"]);
    has(&refused("nist-piv,9a=k.pem:k.pem"), &["k.pem: no X.509 certificate in it, in PEM, DER or PKCS#12"]);
    has(&refused("nist-piv,9a=b.p12:falsch"), &["b.p12: the password does not open it"]);
    let old = Command::new(CARDLAB)
        .current_dir(lab.path())
        .args(["exec", "--card", "nist-piv,9a=old.p12:geheim", "--", "true"])
        .output()
        .unwrap();
    said(old).ok();
}

#[test]
fn profiles_are_shown_with_their_sources() {
    let list = cardlab(&["profile", "list"]).ok();
    has(&list, &["nist-piv ", "yubikey-4.3 ", "yubikey-5.4 ", "yubikey-5.7 "]);
    has(&cardlab(&["profile", "show", "yubikey-5.7"]).ok(), &["[yubikey]\nversion = [5, 7, 1]", "\"piv.empty-slot\" = "]);
    has(&cardlab(&["profile", "settings"]).ok(), &["pin-tries", "new:ALGORITHM"]);
}
