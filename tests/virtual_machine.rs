//! A virtual machine with a Debian of its own, to which our readers are USB devices: its pcscd, its drivers, its programs, over both wires.
//! `tests/virtual-machine` makes it.

use crate::common::site::{Http, Running};
use crate::common::{CARDLAB, Lab, Said, Up, has, said};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than any script takes; a guest that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(120);

struct Guest {
    machine: Child,
    line: UnixStream,
    heard: Vec<u8>,
}

/// Adds the program under test to the guest's initial file system.
fn initrd(lab: &Lab) {
    let script = format!(
        r#"exec 2>&1
        directory=$({} | tail -n 1)
        mkdir -p add/usr/bin && strip -o add/usr/bin/cardlab {CARDLAB}
        (cat "$directory/base.cpio"; cd add; find . | cpio --create --format=newc --quiet) >initrd
        ln -sf "$directory/vmlinuz" vmlinuz"#,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/virtual-machine"),
    );
    lab.host(&script).ok();
}

impl Guest {
    /// A guest with these sockets as USB devices. Emulated, so that it runs where virtualisation is missing.
    fn boot(lab: &Lab, sockets: &[PathBuf]) -> Self {
        initrd(lab);
        let mut command = Command::new("qemu-system-x86_64");
        command.current_dir(lab.path()).stdin(Stdio::null());
        command.args(
            "-nodefaults -no-user-config -display none -no-reboot -accel tcg -m 1024 -kernel vmlinuz -initrd initrd".split(' '),
        );
        command.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]);
        command.args("-serial file:console -chardev socket,id=line,path=line,server=on,wait=off -serial chardev:line".split(' '));
        command.args("-netdev user,id=net -device virtio-net-pci,netdev=net,romfile= -device qemu-xhci".split(' '));
        for (number, socket) in sockets.iter().enumerate() {
            command.args(["-chardev", &format!("socket,id=usb{number},path={},reconnect=1", socket.display())]);
            command.args(["-device", &format!("usb-redir,chardev=usb{number}")]);
        }
        let mut machine = command.spawn().unwrap();
        let line = loop {
            match UnixStream::connect(lab.file("line")) {
                Ok(line) => break line,
                Err(_) => assert!(machine.try_wait().unwrap().is_none(), "qemu has ended"),
            }
        };
        line.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut this = Self { machine, line, heard: Vec::new() };
        let ready = this.answer().unwrap_or_else(|| panic!("the guest does not start:\n{}", lab.read("console")));
        assert_eq!(ready.1, "ready");
        this
    }

    /// What is said until a byte 01, and the line behind it.
    fn answer(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(mark) = self.heard.iter().position(|byte| *byte == 1)
                && let Some(end) = self.heard[mark..].iter().position(|byte| *byte == b'\n')
            {
                let rest = self.heard.split_off(mark + end + 1);
                let whole = std::mem::replace(&mut self.heard, rest);
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                return Some((text(&whole[..mark]), text(&whole[mark + 1..mark + end])));
            }
            let mut chunk = [0; 4096];
            match self.line.read(&mut chunk) {
                Ok(count) if count > 0 => self.heard.extend_from_slice(&chunk[..count]),
                _ => return None,
            }
        }
    }

    /// Runs a script in the guest.
    fn run(&mut self, script: &str) -> Said {
        let encoded = base64(script.as_bytes());
        self.line.write_all(format!("{encoded}\n").as_bytes()).unwrap();
        let (text, code) = self.answer().unwrap_or_else(|| panic!("the guest does not answer to:\n{script}"));
        Said { code: code.parse().ok(), text }
    }

    /// Waits until its pcscd has readers as the condition says. pcscd leaves a reader alone for good whose first answers came too late,
    /// as they may on a busy machine: then another is started, which begins anew.
    fn sees(&mut self, condition: &str) {
        let script = format!(
            r#"for n in 1 2 3 4 5; do
                pidof pcscd >/dev/null || {{ pcscd --foreground --info >>/tmp/pcscd 2>&1 & }}
                for m in $(seq 40); do if {condition}; then exit 0; fi; sleep 0.2; done
                killall pcscd; while pidof pcscd; do sleep 0.1; done
            done
            opensc-tool -l; lsusb | grep -v vhci; tail -n 40 /tmp/pcscd; dmesg | tail -n 20; exit 1"#
        );
        self.run(&script).ok();
    }

    /// Runs a script until it succeeds; it says when it never does.
    fn until(&mut self, condition: &str) {
        let script = format!(
            "for n in $(seq 100); do if {condition} >/tmp/why 2>&1; then exit 0; fi; sleep 0.1; done; cat /tmp/why; exit 1"
        );
        self.run(&script).ok();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let digits = (0..4).map(|n| if n <= three.len() { DIGITS[(number >> (18 - 6 * n)) as usize & 63].into() } else { '=' });
        text.extend(digits);
    }
    text
}

/// How the readers come to the guest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Usbredir,
    Usbip,
}

/// The lab's cards - Anna's is the first - and a reader with a keypad.
struct Site {
    lab: Lab,
    running: Running,
    keypad: Option<Up>,
}

impl Site {
    fn new() -> Self {
        let lab = Lab::new("gids");
        let running = Running::with(&lab, &["--usbredir", "anna", "--usbip", "127.0.0.1:0"]);
        let mut site = Self { lab, running, keypad: None };
        site.start_keypad();
        site
    }

    fn start_keypad(&mut self) {
        let card = "yubikey-5.7,pin-pad=on,usb-product=Keypad,usb-serial=77,serial=4711,9a=new:p256";
        let sockets = ["--socket", "desk", "--usbredir", "keypad", "--usbip", "127.0.0.1:0"];
        self.keypad = Some(Up::start(&self.lab, &[&["--state", "cards", "--card", card], &sockets[..]].concat()));
    }

    /// Drives the reader with the keypad.
    fn card(&self, arguments: &[&str]) {
        let mut command = Command::new(CARDLAB);
        command.current_dir(self.lab.path()).env("PCSCLITE_CSOCK_NAME", "desk").arg("card").args(arguments);
        said(command.output().unwrap()).ok();
    }

    fn attach_keypad(&self, guest: &mut Guest) {
        attach(guest, &self.keypad.as_ref().unwrap().ready);
    }

    /// What the operator says to a code, who has asked the person on the telephone her questions.
    fn response(&self, serial: &str, challenge: &str) -> String {
        let http = Http::at(&self.running.server);
        let oleg = http.log_in("oleg", "oleg-password");
        let ok = |(status, body): (u16, Value)| {
            assert_eq!(status, 200, "{body}");
            body
        };
        let wizard = ok(http.post(&format!("/api/v1/cards/{serial}/wizard"), &oleg, &json!({})));
        let path = format!("/api/v1/unlock/{}", wizard["wizard"].as_str().unwrap());
        let known = |question: &str| {
            let line = self.running.said.lines().find_map(|line| line.trim().strip_prefix(question));
            line.unwrap_or_else(|| panic!("no answer to '{question}'")).trim().to_owned()
        };
        let answers = wizard["questions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|question| json!({"question": question["id"], "text": known(question["text"].as_str().unwrap())}));
        let answers = json!({"answers": answers.collect::<Vec<_>>()});
        assert_eq!(ok(http.post(&format!("{path}/answers"), &oleg, &answers))["ok"], true);
        let given = ok(http.post(&format!("{path}/challenge"), &oleg, &json!({"challenge": challenge})));
        given["response"].as_str().unwrap().to_owned()
    }
}

/// The first device of the computer whose words these are.
fn attach(guest: &mut Guest, words: &str) {
    let address = words.split_whitespace().find_map(|word| word.strip_prefix("usbip=")).unwrap();
    let port = address.rsplit(':').next().unwrap();
    guest.run(&format!("usbip --tcp-port {port} attach -r 10.0.2.2 -b 1-1")).ok();
}

/// A person at the guest, and everything that she meets.
fn a_day(wire: Wire) {
    let mut site = Site::new();
    let sockets = match wire {
        Wire::Usbredir => vec![site.lab.file("anna"), site.lab.file("keypad")],
        Wire::Usbip => Vec::new(),
    };
    let mut guest = Guest::boot(&site.lab, &sockets);
    if wire == Wire::Usbip {
        attach(&mut guest, &site.running.said);
        site.attach_keypad(&mut guest);
    }
    guest.sees("[ $(opensc-tool -l | grep -c Yes) = 2 ]");
    let list = guest.run("cardlab card list").ok();
    has(&list, &["[Anna]", "Yubico YubiKey OTP+FIDO+CCID [Keypad] (77)", "ATR 3BFD1300008131FE158073C021C057597562694B657940"]);

    // Anna logs in, forgets her PIN, locks the card, and reads the code of her screen to the operator.
    let anna = list.lines().find_map(|line| line.split_once(": ATR").filter(|(name, _)| name.contains("[Anna]"))).unwrap().0;
    let slot = guest.run("pkcs11-tool -L").ok();
    let index = slot.lines().filter(|line| line.starts_with("Slot ")).position(|line| line.contains("[Anna]")).unwrap();
    let login = |guest: &mut Guest, pin: &str| guest.run(&format!("pkcs11-tool --slot-index {index} -l --pin {pin} -O"));
    has(&login(&mut guest, "123456").ok(), &["Certificate Object"]);
    for _ in 0..3 {
        has(&login(&mut guest, "999999").fails(), &["CKR_PIN_INCORRECT"]);
    }
    has(&login(&mut guest, "123456").fails(), &["CKR_PIN_LOCKED"]);
    let script =
        format!("mkfifo /tmp/in; sleep 1000 >/tmp/in & cardlab unlock --json --reader '{anna}' </tmp/in >/tmp/unlock 2>&1 &");
    guest.run(&script).ok();
    guest.until("grep -q challenge /tmp/unlock");
    let told = guest.run("cat /tmp/unlock").ok();
    let field = |name: &str| {
        let (_, rest) = told.split_once(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("no {name} in {told}"));
        rest.split('"').next().unwrap().to_owned()
    };
    let response = site.response(&field("card_id"), &field("challenge"));
    guest.run(&format!("printf '%s\\n%s\\n' {response} 246810 >/tmp/in")).ok();
    guest.until("grep -q unlocked /tmp/unlock");
    has(&login(&mut guest, "246810").ok(), &["Certificate Object"]);

    // The other reader: a command of 3 KB, a PIN that is typed at its keypad, the PUK.
    let keypad = guest.run("opensc-tool -l | sed -n 's/^\\([0-9]\\).*\\[Keypad\\].*/\\1/p'").ok().trim().to_owned();
    let send = |guest: &mut Guest, commands: &[&str]| {
        let mut script = format!("opensc-tool -r {keypad} -s 00A4040005A000000308");
        commands.iter().for_each(|command| write!(script, " -s {command}").unwrap());
        guest.run(&script).ok()
    };
    let long = format!(r#"{{"at":0,"card":"c","n":1,"command":"00DB3FFF000BB8{}","response":"6982"}}"#, "5A".repeat(3000));
    guest.run(&format!("echo '{long}' >/tmp/long.jsonl; cardlab trace replay /tmp/long.jsonl --reader Yubico")).ok();
    has(&send(&mut guest, &["00200080"]), &["SW1=0x63, SW2=0xC3"]);
    let index = slot.lines().filter(|line| line.starts_with("Slot ")).position(|line| line.contains("[Keypad]")).unwrap();
    let sign = format!("pkcs11-tool --slot-index {index} -l -s -m ECDSA --id 01 -i /etc/passwd -o /tmp/signature");
    site.card(&["type", "123456"]);
    guest.run(&sign).ok();
    site.card(&["type", "cancel"]);
    has(&guest.run(&sign).fails(), &["CKR_FUNCTION_CANCELED"]);
    let wrong = "0020008008393939393939FFFF";
    has(&send(&mut guest, &[wrong, wrong, wrong, wrong]), &["SW2=0xC2", "SW2=0xC1", "SW2=0xC0", "SW1=0x69, SW2=0x83"]);
    has(&send(&mut guest, &["002C0080103132333435363738313233343536FFFF", "00200080"]), &["SW1=0x63, SW2=0xC3"]);

    // A card that is slower than drivers wait, and one that is pulled out in the middle of a command.
    let right = "0020008008313233343536FFFF";
    site.card(&["pace", "verify:3500"]);
    assert_eq!(send(&mut guest, &[right]).matches("SW1=0x90, SW2=0x00").count(), 2);
    site.card(&["pace", "off"]);
    site.card(&["fault", "remove-after,ins=20"]);
    guest.run(&format!("opensc-tool -r {keypad} -s 00A4040005A000000308 -s {right}")).fails();
    guest.until("opensc-tool -l | grep -q 'No .*Keypad'");
    site.card(&["insert"]);
    guest.until("opensc-tool -l | grep -q 'Yes .*Keypad'");
    has(&send(&mut guest, &["00200080"]), &["SW1=0x63, SW2=0xC3"]);

    // The computer with the readers starts again.
    assert_eq!(site.keypad.take().unwrap().stop("-KILL"), None);
    guest.until("! opensc-tool -l | grep -q Keypad");
    site.start_keypad();
    if wire == Wire::Usbip {
        site.attach_keypad(&mut guest);
    }
    guest.sees("opensc-tool -l | grep -q 'Yes .*Keypad'");
    has(&guest.run("cardlab card status --reader 'Yubico'").ok(), &["serial        4711"]);
    has(&login(&mut guest, "246810").ok(), &["Certificate Object"]);
}

#[test]
fn over_usbredir() {
    a_day(Wire::Usbredir);
}

#[test]
fn over_usbip() {
    a_day(Wire::Usbip);
}
