//! A blank GIDS card with OpenSC: initialised, filled with keys and certificates, locked, unblocked.

use crate::common::{CARDLAB, Lab, has};

/// A card's whole life, as its users' programs lead it. Where it is to be refused, the script says so.
const LIFE: &str = r#"
    zeros=$(printf '0%.0s' {1..48}) key=0102030405060708010203040506070801020304050607AA
    login() { pkcs11-tool --login --pin "$1" "${@:2}" 2>&1; }
    gids-tool --initialize --pin 123456 --admin-key $zeros --serial 00112233445566778899AABBCCDDEEFF
    pkcs15-tool -D
    id=0
    for type in rsa:2048 rsa:3072; do
        login 123456 --keypairgen --key-type $type --label "key $id"
        pkcs15-tool --read-public-key 0$id --output $id.pub
        openssl req -new -newkey rsa:2048 -nodes -keyout other.key -subj "/CN=holder $id" -out $id.csr 2>/dev/null
        openssl x509 -req -in $id.csr -signkey other.key -force_pubkey $id.pub -days 9 -outform DER -out $id.der 2>/dev/null
        login 123456 --write-object $id.der --type cert --id 0$id
        echo "text $id" >data; login 123456 --sign --mechanism SHA256-RSA-PKCS --id 0$id -i data -o signature
        openssl dgst -sha256 -verify $id.pub -signature signature data
        id=1
    done
    pkcs15-tool -D
    login 123456 --test || :
    for n in 1 2 3; do login 999999 -O || :; done
    login 123456 -O || :
    gids-tool --unblock --pin 135791 --admin-key $key || echo 'refused: another key'
    gids-tool --unblock --pin 135791 --admin-key $zeros
    login 135791 -O
    gids-tool --change-admin-key --admin-key $zeros --new-admin-key $key
    gids-tool --unblock --pin 246810 --admin-key $zeros || echo 'refused: the old key'
    gids-tool --unblock --pin 246810 --admin-key $key
    login 246810 -O | grep 'Certificate Object' | sort | uniq -c
"#;

/// What that life looks like from outside.
fn lived(text: &str) {
    has(text, &["00112233445566778899aabbccddeeff", "key 0", "key 1", "CN=holder 0", "CN=holder 1"]);
    assert_eq!(text.matches("Verified OK").count(), 2, "{text}");
    // OpenSC draws no random numbers from a GIDS card; that is the one error of its own tests.
    let errors: Vec<&str> = text.lines().filter(|line| line.contains("rror") && !line.contains("CKR_PIN")).collect();
    assert!(errors.iter().any(|line| line.trim() == "1 errors"), "{errors:?}\n{text}");
    has(text, &["C_GenerateRandom"]);
    assert_eq!(text.matches("CKR_PIN_INCORRECT").count(), 3, "{text}");
    assert_eq!(text.matches("CKR_PIN_LOCKED").count(), 1, "{text}");
    has(text, &["refused: another key", "refused: the old key", "      2 Certificate Object"]);
}

#[test]
fn a_life_with_opensc() {
    lived(&Lab::new("gids-blank").kept().sh(LIFE).ok());
}

/// The owner's key is where OpenSC looks for one, and there is room for more.
#[test]
fn an_owner_signs_with_opensc() {
    let script = r#"
        pkcs15-tool --read-certificate 00 >own.pem; openssl x509 -in own.pem -noout -subject -pubkey -out own.pub
        openssl x509 -in own.pem -noout -subject
        login() { pkcs11-tool --login --pin 123456 "$@" 2>&1; }
        echo text >data; login --sign --mechanism SHA256-RSA-PKCS --id 00 -i data -o signature
        openssl dgst -sha256 -verify own.pub -signature signature data
        login --keypairgen --key-type rsa:2048 --label second
        pkcs15-tool -D
    "#;
    let text = Lab::new("gids,owner=Anna Berg").kept().sh(script).ok();
    has(&text, &["CN = Anna Berg", "Verified OK", "cardlab 00", "second"]);
}

#[test]
fn a_life_with_opensc_under_pcscd() {
    let lab = Lab::new("gids-blank");
    lab.write("life", LIFE);
    let script = format!(
        r#"ip link set lo up
        mkdir -p run; mount --bind run /run/pcscd 2>/dev/null || {{ mkdir -p /run/pcscd; mount --bind run /run/pcscd; }}
        export XDG_CACHE_HOME=$PWD/cache
        {CARDLAB} up --card gids-blank --vpcd 127.0.0.1:35963 >ready & card=$!
        pcscd --foreground >pcscd.log 2>&1 & daemon=$!
        for n in $(seq 200); do if opensc-tool -a 2>/dev/null | grep -q 3b:; then break; fi; read -t 0.1 <> <(:) || :; done
        bash -euo pipefail life
        kill $card $daemon"#
    );
    lived(&lab.host(&format!("timeout 500 unshare -mn bash -euo pipefail -c '{}'", script.replace('\'', "'\\''"))).ok());
}
