//! Everyday programs that reach the card through OpenSC's PKCS#11 module or PC/SC itself: ssh, TLS,
//! openssl, pyscard.

use crate::common::{CARDLAB, Lab, has};

const MODULE: &str = "export PATH=$PATH:/usr/sbin; M=$(ls /usr/lib/*/opensc-pkcs11.so | head -1); export PKCS11_MODULE_PATH=$M
    trap 'kill $(jobs -p) ${SSH_AGENT_PID:-} 2>/dev/null || :' EXIT\n";

/// An sshd that takes the card's keys; it writes a line when it listens, and that is what the script waits for.
const SSHD: &str = r#"ssh-keygen -q -t ed25519 -N '' -f host
        ssh-keygen -D $M >authorized; chmod 600 authorized; grep -c ssh-rsa authorized
        mkdir -p /run/sshd || true
        port=$((20000 + RANDOM % 20000))
        printf 'Port %s\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nPasswordAuthentication no\nPidFile none\nUsePAM no\n' $port $PWD $PWD >config
        mkfifo log; $(command -v sshd) -D -e -f config 2>log & daemon=$!
        grep -m1 'listening' <log; (cat log >/dev/null &)
        printf '#!/bin/sh\necho 123456\n' >ask; printf '#!/bin/sh\necho 000000\n' >wrong; chmod +x ask wrong
        options="-p $port -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=publickey"
        export SSH_ASKPASS_REQUIRE=force DISPLAY=:9"#;

fn keys() -> Lab {
    Lab::new("nist-piv,9a=new:rsa2048,9c=new:p256,9d=new:rsa2048,9e=new:p384,ca=ca.pem")
}

#[test]
fn ssh_logs_in_with_the_cards_key() {
    let lab = keys();
    let script = format!(
        r#"{MODULE}
        {SSHD}
        SSH_ASKPASS=$PWD/ask ssh $options -I $M $(id -un)@127.0.0.1 echo logged in
        eval "$(ssh-agent -a $PWD/agent)"
        SSH_ASKPASS=$PWD/ask ssh-add -s $M
        ssh $options $(id -un)@127.0.0.1 echo through the agent
        ssh-add -e $M
        # Every key that the server would take costs a try: this locks the PIN.
        if SSH_ASKPASS=$PWD/wrong ssh $options -I $M $(id -un)@127.0.0.1 echo broken in </dev/null; then exit 9; fi"#
    );
    let text = lab.run(&["timeout", "120", "bash", "-euo", "pipefail", "-c", &script]).ok();
    has(&text, &["logged in", "through the agent", "PIN locked"]);
    assert!(!text.contains("broken in"), "{text}");
}

/// The card is pulled out at the n-th command of a login, for every n: ssh ends with its own error, never hangs,
/// and the card has lost no try.
#[test]
fn ssh_whose_card_is_pulled_out() {
    let lab = Lab::new("nist-piv,9a=new:rsa2048");
    let script = format!(
        r#"{MODULE}
        {SSHD}
        pulled=0
        while :; do
            {CARDLAB} card fault remove-before,nth=$((pulled + 1)) >/dev/null
            code=0
            SSH_ASKPASS=$PWD/ask timeout -k 5 60 ssh $options -I $M $(id -un)@127.0.0.1 echo logged in </dev/null >said 2>&1 || code=$?
            [ $code != 124 ] && [ $code != 137 ] || {{ echo "hung at command $((pulled + 1))"; cat said; exit 9; }}
            if {CARDLAB} card show | grep -q 'card in'; then break; fi
            [ $code != 0 ] || grep -q 'logged in' said
            pulled=$((pulled + 1))
            {CARDLAB} card insert
            {CARDLAB} card show | grep -q 'PIN: 3 of 3'
        done
        [ $code = 0 ]; grep -q 'logged in' said
        echo "pulled out at $pulled commands""#
    );
    let text = lab.run(&["timeout", "300", "bash", "-euo", "pipefail", "-c", &script]).ok();
    let pulled = text.split("pulled out at ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|n| n.parse::<u32>().ok());
    assert!(pulled.is_some_and(|n| n > 20), "{text}");
}

#[test]
fn tls_client_certificate_from_the_card() {
    let lab = keys();
    let script = format!(
        r#"{MODULE}
        openssl req -x509 -newkey rsa:2048 -nodes -keyout srv.key -out srv.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 9 2>/dev/null
        pkcs15-tool --read-certificate 01 >client.pem
        port=$((20000 + RANDOM % 20000)); mkfifo log
        openssl s_server -accept 127.0.0.1:$port -cert srv.pem -key srv.key -CAfile ca.pem -Verify 2 -verify_return_error -www >log 2>&1 & server=$!
        grep -m1 ACCEPT <log; (cat log >/dev/null &)
        curl -sS --engine pkcs11 --key-type ENG --key 'pkcs11:id=%01;type=private;pin-value=123456' --cert client.pem --cacert srv.pem --resolve localhost:$port:127.0.0.1 https://localhost:$port/ | grep 'CN *= *cardlab'
        if curl -sSf --cacert srv.pem --resolve localhost:$port:127.0.0.1 https://localhost:$port/ 2>/dev/null; then exit 9; fi
        kill $server"#
    );
    has(&lab.run(&["timeout", "60", "bash", "-euo", "pipefail", "-c", &script]).ok(), &["cardlab"]);
}

#[test]
fn openssl_checks_what_the_card_signs_and_decrypts() {
    let lab = keys();
    let script = format!(
        r#"{MODULE}
        for id in 01 02 03 04; do pkcs15-tool --read-certificate $id | openssl x509 -noout -pubkey >$id.pub; done
        p() {{ pkcs11-tool --module $M --login --pin 123456 "$@"; }}
        head -c 3000 /dev/urandom >m; openssl dgst -sha256 -binary m >h
        p --id 01 -s -m SHA256-RSA-PKCS -i m -o s; openssl dgst -sha256 -verify 01.pub -signature s m
        p --id 01 -s -m SHA256-RSA-PKCS-PSS -i m -o s; openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -verify 01.pub -signature s m
        p --id 02 -s -m ECDSA --signature-format openssl -i h -o s; openssl pkeyutl -verify -pubin -inkey 02.pub -sigfile s -in h
        p --id 04 -s -m ECDSA --signature-format openssl -i h -o s; openssl pkeyutl -verify -pubin -inkey 04.pub -sigfile s -in h
        head -c 100 m >pt; openssl pkeyutl -encrypt -pubin -inkey 03.pub -in pt -out ct
        p --id 03 --decrypt -m RSA-PKCS -i ct -o back; cmp pt back && echo decrypted"#
    );
    let text = lab.sh(&script).ok();
    assert_eq!(text.matches("Verified OK").count(), 2, "{text}");
    assert_eq!(text.matches("Signature Verified Successfully").count(), 2, "{text}");
    has(&text, &["decrypted"]);
}

#[test]
fn pyscard() {
    let lab = Lab::new("nist-piv").and("yubikey-5.4,name=Second");
    lab.write(
        "t.py",
        r#"
from smartcard.System import readers
from smartcard.Exceptions import NoCardException
names = [str(r) for r in readers()]
assert names == ["cardlab NIST PIV 00 00", "Second 01 00"], names
connection = readers()[0].createConnection()
connection.connect()
data, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00])
assert (sw1, sw2) == (0x90, 0x00) and data[0] == 0x61
data, sw1, sw2 = connection.transmit([0x00, 0x20, 0x00, 0x80])
assert (sw1, sw2) == (0x63, 0xC3)
connection.disconnect()
print("pyscard is content")
"#,
    );
    has(&lab.run(&["/usr/bin/python3", "t.py"]).ok(), &["pyscard is content"]);
}

#[test]
fn openssl_engine_signs_requests_and_messages() {
    let lab = keys();
    let script = format!(
        r#"{MODULE}
        U='pkcs11:id=%01;type=private;pin-value=123456'
        pkcs15-tool --read-certificate 01 >client.pem; echo text >m
        openssl req -new -engine pkcs11 -keyform engine -key "$U" -subj /CN=request -out r.csr; openssl req -in r.csr -verify -noout
        openssl cms -sign -nodetach -engine pkcs11 -keyform engine -inkey "$U" -signer client.pem -in m -binary -outform DER -out m.p7
        openssl cms -verify -in m.p7 -inform DER -binary -CAfile ca.pem -purpose any -out back; cmp m back"#
    );
    has(&lab.sh(&script).ok(), &["verify OK", "CMS Verification successful"]);
}
