//! Yubico's tools: yubico-piv-tool, ykman, ykcs11.

use crate::common::{self, KEY, Lab, has};

#[test]
fn every_algorithm_is_generated_certified_and_tested() {
    // yubico-piv-tool 2.2 knows 3DES management keys only.
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7,management-algorithm=3des"] {
        let lab = Lab::new(profile).kept();
        lab.host("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 9").ok();
        for (slot, algorithm) in [("9a", "RSA2048"), ("9c", "ECCP256"), ("9d", "RSA1024"), ("9e", "ECCP384"), ("82", "ECCP256")] {
            let script = format!(
                "yubico-piv-tool -a generate -s {slot} -A {algorithm} -o {slot}.pub
                 openssl req -new -key ca.key -subj /CN={slot} -out x.csr
                 openssl x509 -req -in x.csr -CA ca.pem -CAkey ca.key -CAcreateserial -force_pubkey {slot}.pub -days 9 -out {slot}.crt
                 yubico-piv-tool -a import-certificate -s {slot} -i {slot}.crt
                 yubico-piv-tool -a read-certificate -s {slot} -o back.crt
                 cmp <(openssl x509 -in {slot}.crt -outform DER) <(openssl x509 -in back.crt -outform DER)
                 yubico-piv-tool -a verify-pin -P 123456 -a test-signature -s {slot} -i {slot}.crt
                 yubico-piv-tool -a attest -s {slot} | openssl x509 -noout -pubkey | diff - <(openssl pkey -pubin -in {slot}.pub)"
            );
            has(&lab.sh(&script).ok(), &["Successful"]);
        }
        has(&lab.sh("yubico-piv-tool -a verify-pin -P 123456 -a test-decipher -s 9d -i 9d.crt").ok(), &["Successfully"]);
        let status = lab.run(&["yubico-piv-tool", "-a", "status"]).ok();
        has(&status, &["Slot 9a", "Slot 9c", "Slot 9d", "Slot 9e", "PIN tries left:\t3"]);
    }
}

#[test]
fn import_and_objects() {
    let lab = Lab::new("yubikey-5.4").kept();
    lab.host("openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out k.crt -subj /CN=imported -days 9").ok();
    lab.sh("yubico-piv-tool -a import-key -s 9c -i k.pem; yubico-piv-tool -a import-certificate -s 9c -i k.crt
         yubico-piv-tool -a verify-pin -P 123456 -a test-signature -s 9c -i k.crt
         yubico-piv-tool -a set-chuid; yubico-piv-tool -a set-ccc
         head -c 2500 /dev/urandom >object; yubico-piv-tool -a write-object --id 0x5fff12 -i object -f binary
         yubico-piv-tool -a read-object --id 0x5fff12 -f binary -o back; cmp object back")
        .ok();
    let status = lab.run(&["yubico-piv-tool", "-a", "status"]).ok();
    has(&status, &["CHUID:\t3019d4e739", "CCC:\tf015a000000116", "Subject DN:\tCN=imported"]);
    lab.run(&["yubico-piv-tool", "-a", "attest", "-s", "9c"]).fails();
}

/// A key on disk and a certificate of it in DER, made longer by a comment until it has this many bytes.
fn certificate_of(lab: &Lab, length: usize) {
    lab.host(&format!(
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out k.pem
         comment=2000
         for try in 1 2 3 4; do
           text=$(printf 'a%.0s' $(seq $comment))
           openssl req -x509 -key k.pem -out big.der -outform DER -subj /CN=big -addext nsComment=$text -days 9
           comment=$((comment + {length} - $(stat -c %s big.der)))
         done
         test $(stat -c %s big.der) = {length}"
    ))
    .ok();
}

#[test]
fn a_certificate_of_3052_bytes_is_put_and_read_and_the_memory_ends() {
    let lab = Lab::new("yubikey-5.4").kept();
    certificate_of(&lab, 3052);
    lab.sh("yubico-piv-tool -a import-key -s 9a -i k.pem
         openssl x509 -inform DER -in big.der -out big.pem
         for slot in 9a 9c 9d 9e 82 83 84 85 86 87 88 89 8a 8b 8c 8d; do yubico-piv-tool -a import-certificate -s $slot -i big.pem; done
         ! yubico-piv-tool -a import-certificate -s 8e -i big.pem
         for slot in 9a 8d; do yubico-piv-tool -a read-certificate -s $slot | openssl x509 -outform DER | cmp - big.der; done")
        .ok();
    has(&lab.run(&[common::CARDLAB, "card", "status"]).ok(), &["free keys     8 of 24"]);
    let kept = common::said(
        std::process::Command::new(common::CARDLAB)
            .current_dir(lab.path())
            .args(["card", "status", "--state", "state"])
            .output()
            .unwrap(),
    );
    has(&kept.ok(), &["free keys     8 of 24", "free bytes    "]);
    // From a file, too, and what is longer is refused in a sentence.
    let lab = lab.holding("yubikey-5.4,9a=k.pem:big.der");
    common::said(std::process::Command::new("rm").current_dir(lab.path()).args(["-r", "state"]).output().unwrap()).ok();
    lab.sh("yubico-piv-tool -a read-certificate -s 9a | openssl x509 -outform DER | cmp - big.der").ok();
}

#[test]
fn a_stored_management_key_is_not_overwritten_without_the_pin() {
    let lab = Lab::new("yubikey-5.4").kept();
    // What ykman looks for before it stores one; a card that says "absent" loses the old one.
    let text = lab.sh("opensc-tool -c default -s 00A4040005A000000308 -s 00CB3FFF055C035FC10900 -s 0020008008313233343536FFFF -s 00CB3FFF055C035FC10900").ok();
    has(&text, &["SW1=0x69, SW2=0x82", "SW1=0x6A, SW2=0x82"]);
    lab.sh("ykman piv access change-management-key --generate --protect --pin 123456 --management-key 010203040506070801020304050607080102030405060708").ok();
    has(&lab.sh("ykman piv info").ok(), &["Management key is stored on the YubiKey, protected by PIN"]);
}

#[test]
fn pin_puk_and_management_key() {
    let lab = Lab::new("yubikey-5.4").kept();
    lab.sh("yubico-piv-tool -a change-pin -P 123456 -N 654321
         yubico-piv-tool -a change-puk -P 12345678 -N 87654321
         yubico-piv-tool -a unblock-pin -P 87654321 -N 111222
         yubico-piv-tool -a verify-pin -P 111222")
        .ok();
    let new = "0A0B0C0D0E0F0A0B0C0D0E0F0A0B0C0D0E0F0A0B0C0D0E0F";
    lab.run(&["yubico-piv-tool", "-a", "set-mgm-key", "-n", new]).ok();
    lab.run(&["yubico-piv-tool", "-a", "set-chuid"]).fails();
    lab.run(&["yubico-piv-tool", &format!("-k{new}"), "-a", "set-chuid"]).ok();
    lab.run(&["yubico-piv-tool", &format!("-k{new}"), "-a", "set-mgm-key", "-n", KEY]).ok();
    lab.run(&[
        "yubico-piv-tool",
        "-a",
        "verify-pin",
        "-P",
        "111222",
        "-a",
        "pin-retries",
        "--pin-retries",
        "5",
        "--puk-retries",
        "4",
    ])
    .ok();
    has(&lab.run(&["yubico-piv-tool", "-a", "status"]).ok(), &["PIN tries left:\t5"]);
}

/// The lock scenario: three wrong PINs, the PUK, both blocked, a reset; over process ends.
#[test]
fn locked_unblocked_locked_for_good_and_reset() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let lab = Lab::new(profile).kept();
        let verify = |pin: &str| lab.run(&["yubico-piv-tool", "-a", "verify-pin", "-P", pin]);
        for left in ["2 tries left", "1 tries left", "blocked"] {
            has(&verify("000000").fails(), &[left]);
        }
        has(&verify("123456").fails(), &["blocked"]);
        lab.run(&["yubico-piv-tool", "-a", "reset"]).fails();
        lab.run(&["yubico-piv-tool", "-a", "unblock-pin", "-P", "12345678", "-N", "246810"]).ok();
        verify("246810").ok();
        for _ in 0..3 {
            verify("000000").fails();
            lab.run(&["yubico-piv-tool", "-a", "unblock-pin", "-P", "00000000", "-N", "246810"]).fails();
        }
        has(&lab.run(&["yubico-piv-tool", "-a", "unblock-pin", "-P", "12345678", "-N", "246810"]).fails(), &["blocked"]);
        lab.run(&["yubico-piv-tool", "-a", "reset"]).ok();
        verify("123456").ok();
    }
}

/// Yubico's own device tests of secure channels and of the security domain, as ykman's source package has them: 15 of ECHO
/// in every length and form, 11 of keys, certificates and allow lists, 4 by ykman itself. `tests/run` fetches them.
#[test]
fn ykmans_own_tests_of_secure_channels_pass() {
    let lab = Lab::new("yubikey-5.7,version=5.7.4,serial=12345678").kept();
    let ykman = concat!(env!("CARGO_MANIFEST_DIR"), "/target/ykman");
    let text = lab
        .sh(&format!(
            "export HOME=$PWD PYTHONDONTWRITEBYTECODE=1
             cd {ykman}/yubikey_manager-5.9.2
             {ykman}/bin/python -m pytest -q -p no:cacheprovider --device 12345678 \\
               tests/device/test_scp.py tests/device/test_securitydomain.py tests/device/cli/test_securitydomain.py"
        ))
        .ok();
    has(&text, &["30 passed"]);
    assert!(!text.contains("skipped"), "{text}");
}

#[test]
fn attestation_verifies_against_the_cards_root() {
    let lab = Lab::new("yubikey-5.4").kept();
    let script = format!(
        "yubico-piv-tool -a generate -s 9a -A ECCP256 -o pub
         yubico-piv-tool -a attest -s 9a >attestation.pem
         yubico-piv-tool -a read-certificate -s f9 >intermediate.pem
         {} card attestation-root >root.pem
         openssl verify -CAfile root.pem -untrusted intermediate.pem attestation.pem",
        common::CARDLAB
    );
    has(&lab.sh(&script).ok(), &["attestation.pem: OK"]);
}

#[test]
fn ykman() {
    for (profile, version) in [("yubikey-4.3", "4.3.5"), ("yubikey-5.4", "5.4.3"), ("yubikey-5.7", "5.7.1")] {
        let lab = Lab::new(&format!("{profile},serial=12345678")).kept();
        if profile != "yubikey-4.3" {
            has(&lab.run(&["ykman", "list"]).ok(), &["Serial: 12345678", version]);
        }
        has(&lab.run(&["ykman", "piv", "info"]).ok(), &[&format!("PIV version: {version}"), "PIN tries remaining: 3"]);
        lab.host("openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out k.crt -subj /CN=imported -days 9").ok();
        let script = format!(
            "K={KEY}
             ykman piv keys generate -m $K -a ECCP256 9a pub.pem
             ykman piv keys attest 9a att.pem; openssl x509 -in att.pem -noout -pubkey | diff - pub.pem
             ykman piv certificates generate -m $K -P 123456 -s CN=self 9a pub.pem
             ykman piv certificates export 9a c.pem; openssl verify -CAfile c.pem c.pem
             ykman piv certificates request -P 123456 -s CN=request 9a pub.pem csr.pem; openssl req -in csr.pem -verify -noout
             ykman piv keys import -m $K 9c k.pem; ykman piv certificates import -m $K 9c k.crt
             ykman piv access change-pin -P 123456 -n 654321
             ykman piv access change-puk -p 12345678 -n 87654321
             ykman piv access unblock-pin -p 87654321 -n 246810
             ykman piv access change-management-key -m $K -P 246810 -p -f -g
             ykman piv keys generate -P 246810 -a RSA2048 9d pub2.pem
             ykman piv access set-retries -P 246810 -f 5 4
             ykman piv info"
        );
        has(
            &lab.sh(&script).ok(),
            &["PIN tries remaining: 5", "Management key is stored on the YubiKey, protected by PIN", "CN=imported"],
        );
        lab.run(&["ykman", "piv", "reset", "-f"]).ok();
        let info = lab.run(&["ykman", "piv", "info"]).ok();
        has(&info, &["PIN tries remaining: 3", "CHUID:\tNo data available"]);
    }
}

#[test]
fn ykman_switches_applications_off_and_on_and_locks_the_configuration() {
    for profile in ["yubikey-5.4", "yubikey-5.7"] {
        let lab = Lab::new(&format!("{profile},serial=12345678,applications=all")).kept();
        has(&lab.run(&["ykman", "config", "usb", "--list"]).ok(), &["OTP", "FIDO2", "PIV", "OATH"]);
        let text = lab
            .sh("ykman config usb --disable PIV --force
                 ykman config usb --list
                 ykman piv info && exit 1 || echo 'piv: refused'
                 yubico-piv-tool -a status && exit 1 || echo 'status: refused'
                 ykman config usb --enable PIV --force
                 ykman piv info")
            .ok();
        has(&text, &["piv: refused", "status: refused", "PIV version: 5."]);
        let list = text.split("piv: refused").next().unwrap();
        assert!(list.lines().any(|line| line == "OATH") && !list.lines().any(|line| line == "PIV"), "{list}");
        let code = "000102030405060708090a0b0c0d0e0f";
        let text = lab
            .sh(&format!(
                "ykman config set-lock-code --new-lock-code {code} --force
                 ykman info
                 ykman config usb --disable OATH --force && exit 1 || echo 'no code: refused'
                 ykman config usb --disable OATH --force --lock-code {} && exit 1 || echo 'wrong code: refused'
                 ykman config usb --disable OATH --force --lock-code {code}
                 ykman config set-lock-code --lock-code {code} --clear --force
                 ykman config usb --disable OTP --force
                 ykman config usb --list",
                code.replace("0f", "0e")
            ))
            .ok();
        has(&text, &["protected by a lock code", "no code: refused", "wrong code: refused"]);
        let list: Vec<&str> = text.lines().rev().take_while(|line| !line.contains("updated")).collect();
        assert!(list.contains(&"PIV") && !list.contains(&"OATH") && !list.contains(&"OTP"), "{text}");
    }
}

#[test]
fn ykman_info_tells_what_is_there() {
    for profile in ["yubikey-4.3", "yubikey-5.4", "yubikey-5.7"] {
        let text = Lab::new(profile).run(&["ykman", "info"]).ok();
        has(&text, &["Enabled USB interfaces: CCID\n"]);
        let there: Vec<&str> =
            text.lines().filter(|line| line.contains("Enabled ")).filter(|line| !line.contains("USB")).collect();
        assert!(matches!(there.as_slice(), [piv] if piv.starts_with("PIV")), "{text}");
    }
}

#[test]
fn attestation_with_a_key_of_ones_own() {
    let lab = Lab::new("yubikey-5.4,f9=own.key:own.pem").kept();
    lab.host(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -subj /CN=root -days 9
         openssl req -newkey rsa:2048 -nodes -keyout own.key -subj '/CN=own attestation' -out own.csr
         openssl x509 -req -in own.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9 -out own.pem \\
             -extfile <(echo basicConstraints=critical,CA:true)",
    )
    .ok();
    let text = lab
        .sh("yubico-piv-tool -a generate -s 9a -A ECCP256 -o 9a.pub
             yubico-piv-tool -a attest -s 9a >attested.pem; yubico-piv-tool -a read-certificate -s f9 >f9.pem
             openssl verify -CAfile root.pem -untrusted f9.pem attested.pem; openssl x509 -in attested.pem -noout -issuer")
        .ok();
    has(&text, &["attested.pem: OK", "CN = own attestation"]);
    has(&lab.run(&[common::CARDLAB, "card", "attestation-root", "--state", "state"]).fails(), &["attestation"]);
}

#[test]
fn ykcs11() {
    let lab = Lab::new("yubikey-5.4,serial=12345678,9a=new:rsa2048,9c=new:p256");
    let script =
        "M=$(ls /usr/lib/*/libykcs11.so* | head -1); pkcs11-tool --module $M -L; pkcs11-tool --module $M --login --pin 123456 -O
         echo hello >m; pkcs11-tool --module $M --login --pin 123456 --id 01 -s -m SHA256-RSA-PKCS -i m -o s; ls -l s";
    has(&lab.sh(script).ok(), &["YubiKey PIV #12345678", "Private Key Object"]);
}
