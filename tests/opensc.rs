//! OpenSC's tools and PKCS#11 module.

use crate::common::{Lab, has};

const KEYS: &str = "9a=new:rsa2048,9c=new:p256,9d=new:rsa2048,9e=new:p384";

#[test]
fn opensc_tool() {
    let lab = Lab::new("nist-piv");
    has(&lab.run(&["opensc-tool", "-l"]).ok(), &["cardlab NIST PIV 00 00", "Yes"]);
    has(&lab.run(&["opensc-tool", "-a"]).ok(), &["3b:fd:18:00:00:81:31:fe:45:80:73:c0:21:c0:57:63:61:72:64:6c:61:62:10"]);
    has(&lab.run(&["opensc-tool", "-n"]).ok(), &["Personal Identity Verification Card"]);
    let sent = lab.run(&["opensc-tool", "-s", "00:A4:04:00:05:A0:00:00:03:08:00", "-s", "00:20:00:80"]).ok();
    has(&sent, &["SW1=0x90, SW2=0x00", "SW1=0x63, SW2=0xC3"]);
}

#[test]
fn pcsc_scan() {
    let lab = Lab::new("yubikey-5.4");
    has(&lab.run(&["pcsc_scan", "-r"]).ok(), &["0: Yubico YubiKey CCID 00 00"]);
    // It watches until it is told to stop.
    let watched = lab.run(&["timeout", "3", "pcsc_scan", "-n"]).code(124);
    has(&watched, &["Card state:", "Card inserted", "3B FD 13 00 00 81 31 FE 15 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 40"]);
}

#[test]
fn piv_tool() {
    let lab = Lab::new("nist-piv,management-algorithm=3des").kept();
    lab.write("key", "01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:08");
    // `-G` is left out: piv-tool 0.23 with OpenSSL 3 cannot write the public key that the card gives.
    let script = "export PIV_EXT_AUTH_KEY=key
         openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=loaded -days 9
         piv-tool -n
         piv-tool -A M:9B:03 -C 9A -i c.pem || true # it exits with a byte count
         pkcs15-tool --read-certificate 01 | openssl x509 -noout -subject";
    has(&lab.sh(script).ok(), &["Personal Identity Verification Card", "CN = loaded"]);
    let lab = Lab::new("nist-piv");
    lab.write("key", "01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:08:01:02:03:04:05:06:07:00");
    lab.sh("PIV_EXT_AUTH_KEY=key piv-tool -A M:9B:0A -G 9A:07 -o pub.der").fails();
}

#[test]
fn pkcs15_tool() {
    let lab = Lab::new(&format!("nist-piv,{KEYS}"));
    let dump = lab.run(&["pkcs15-tool", "-D"]).ok();
    has(&dump, &["PIV AUTH key", "SIGN key", "KEY MAN key", "CARD AUTH key", "X.509 Certificate"]);
    has(&lab.run(&["pkcs15-tool", "--verify-pin", "--pin", "123456"]).ok(), &[]);
    lab.run(&["pkcs15-tool", "--verify-pin", "--pin", "000000"]).fails();
    has(&lab.sh("pkcs15-tool --read-certificate 01 | openssl x509 -noout -issuer").ok(), &["cardlab throw-away CA"]);
}

/// The self-test of pkcs11-tool: everything must work but `C_GenerateRandom`, which OpenSC offers
/// only for cards whose 9B is a 3DES key.
fn self_test(card: &str, expected_errors: &str) {
    let lab = Lab::new(card);
    let text = lab.run(&["pkcs11-tool", "--login", "--pin", "123456", "--test"]);
    let said_so = text.text.lines().any(|l| l == expected_errors);
    assert!(said_so, "{card}, not '{expected_errors}':\n{}", text.text);
    for line in text.text.lines().filter(|l| l.contains("ERR") || l.contains("CKR_")) {
        assert!(line.contains("C_GenerateRandom"), "{card}: {line}");
    }
}

#[test]
fn pkcs11_self_test_nist() {
    self_test(&format!("nist-piv,{KEYS}"), "1 errors");
    self_test("nist-piv,9a=new:p256,9c=new:rsa2048,9d=new:p384,9e=new:rsa2048", "1 errors");
}

#[test]
fn pkcs11_self_test_yubikey() {
    self_test(&format!("yubikey-5.4,{KEYS}"), "No errors");
    self_test("yubikey-4.3,9a=new:p384,9c=new:rsa2048,9d=new:p256,9e=new:rsa2048", "No errors");
}

#[test]
fn pkcs11_return_codes_as_the_pin_locks() {
    let lab = Lab::new(&format!("nist-piv,{KEYS}")).kept();
    let login = |pin: &str| lab.run(&["pkcs11-tool", "--login", "--pin", pin, "-O"]);
    has(&login("123456").ok(), &["Private Key Object"]);
    for _ in 0..3 {
        has(&login("999999").fails(), &["CKR_PIN_INCORRECT"]);
    }
    has(&login("123456").fails(), &["CKR_PIN_LOCKED"]);
    lab.sh("pkcs15-tool --unblock-pin --puk 12345678 --new-pin 246810").ok();
    has(&login("246810").ok(), &["Private Key Object"]);
}

#[test]
fn retired_keys_are_listed() {
    let lab = Lab::new("nist-piv,82=new:p256,83=new:rsa2048");
    has(&lab.run(&["pkcs15-tool", "-D"]).ok(), &["Retired KEY MAN 1", "Retired KEY MAN 2"]);
}

#[test]
fn p11tool() {
    let lab = Lab::new(&format!("nist-piv,{KEYS}"));
    let script = "M=$(ls /usr/lib/*/opensc-pkcs11.so | head -1); p11tool --provider $M --list-all-certs; p11tool --provider $M --login --set-pin=123456 --test-sign 'pkcs11:id=%01'";
    let text = lab.sh(script).ok();
    has(&text, &["type=cert", "ok"]);
}

#[test]
fn scdaemon_does_not_hang() {
    let lab = Lab::new("yubikey-5.4");
    let script =
        "export GNUPGHOME=$PWD/gpg; mkdir -m 700 gpg; timeout 60 gpg --batch --card-status || echo code $?; gpgconf --kill all";
    let text = lab.sh(script).ok();
    assert!(!text.contains("code 124"), "{text}");
    has(&text, &["gpg"]);
}
