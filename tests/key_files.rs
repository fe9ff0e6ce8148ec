//! Key files as people's programs write them: OpenSSL, GnuTLS, NSS and OpenSSH.

use crate::common::terminal::{Command, Terminal};
use crate::common::{CARDLAB, Lab, cardlab, has, said};
use cardlab_protocol::tlv;
use cardlab_sim::crypto::holder::{Holder, KeyName};
use cardlab_sim::piv::objects;
use cardlab_sim::{Card, World, keys, memory};
use cardlab_vreader::CardRequest;
use cardlab_vreader::setup::keyfile::Person;
use std::path::Path;
use zeroize::Zeroizing;

/// What was said to whoever asked for a card; has no password.
#[derive(Default)]
struct Heard(Vec<String>);

impl Person for Heard {
    fn password(&mut self, _file: &Path) -> Result<Zeroizing<String>, String> {
        Err("nobody types it".into())
    }

    fn warn(&mut self, sentence: &str) {
        self.0.push(sentence.into());
    }
}

/// A directory with what `script` made in it, and cards of its files.
struct Desk(Lab);

impl Desk {
    fn new(script: &str) -> Self {
        let lab = Lab::new("nist-piv");
        lab.host(&format!("{MAKE}\n{script}")).ok();
        Self(lab)
    }

    /// A card of a profile that takes every algorithm, with this in slot 9A; `%` is the directory.
    fn try_card(&self, settings: &str) -> Result<(Card, Vec<String>), String> {
        let text = format!("yubikey-5.7,{}", settings.replace('%', &format!("{}/", self.0.path().display())));
        let mut heard = Heard::default();
        let card = text.parse::<CardRequest>().and_then(|request| request.make_for(World::seeded(1), &mut heard));
        Ok((card.map_err(|e| e.to_string().replace(&format!("{}/", self.0.path().display()), "%"))?, heard.0))
    }

    /// The card, and nothing was odd.
    #[track_caller]
    fn card(&self, settings: &str) -> Card {
        let (card, heard) = self.try_card(settings).unwrap_or_else(|e| panic!("{settings}: {e}"));
        assert_eq!(heard, [""; 0], "{settings}");
        card
    }

    #[track_caller]
    fn refused(&self, settings: &str) -> String {
        self.try_card(settings).err().unwrap_or_else(|| panic!("{settings} is taken"))
    }
}

/// Algorithm of the key in 9A, and the subject of the certificate that is of this very key.
#[track_caller]
fn held(card: &Card) -> (&'static str, Option<String>) {
    let slot = keys::load(card.nvm(), 0x9A).expect("a key in 9A");
    let object = card.nvm().read(memory::object(objects::certificate_of(0x9A).unwrap()));
    let holder = object.and_then(|object| tlv::find(object, 0x70)).and_then(Holder::of);
    if let Some(holder) = &holder {
        assert_eq!(Some(&holder.key), KeyName::of(&slot.key).as_ref(), "the certificate of another key");
    }
    (slot.key.algorithm().name(), holder.map(|holder| holder.subject))
}

/// `leaf` and `other` are RSA keys with certificates of `ca`, `ec` an EC key with one of its own.
const MAKE: &str = r#"
    {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 300
    for name in leaf other; do
        openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
        openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 300 -out $name.pem
    done
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.pem -subj /CN=ec -days 300
    } 2>/dev/null
    store() { openssl pkcs12 -export -inkey leaf.key -in leaf.pem -name leaf -passout pass:pw "$@"; }
"#;

#[test]
fn pkcs12_is_read_as_every_program_writes_it() {
    let desk = Desk::new(
        r#"
        store -out openssl.p12
        store -legacy -out legacy.p12
        store -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-2DES -out odd.p12
        store -keypbe aes-128-cbc -certpbe des-ede3-cbc -macalg sha512 -iter 7 -out mixed.p12
        store -keypbe NONE -certpbe NONE -nomaciter -out plain.p12
        store -nomac -out unchecked.p12
        store -certfile ca.pem -out chain.p12
        certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.pem --load-ca-certificate ca.pem --p12-name leaf \
            --password pw --outder --outfile gnutls.p12 2>/dev/null
        certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.pem --p12-name leaf --pkcs-cipher 3des-pkcs12 \
            --password pw --outder --outfile gnutls3des.p12 2>/dev/null
        certtool --to-p12 --load-privkey leaf.key --load-certificate leaf.pem --p12-name leaf --password pw --outfile gnutls.pem 2>/dev/null
        mkdir nss; certutil -N -d sql:nss --empty-password; pk12util -i chain.p12 -d sql:nss -W pw >/dev/null
        pk12util -o nss.p12 -n leaf -d sql:nss -W pw >/dev/null
        pk12util -o nssold.p12 -n leaf -d sql:nss -W pw -c 'PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC' \
            -C 'PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC' >/dev/null
        openssl pkcs12 -export -inkey leaf.key -in leaf.pem -keypbe NONE -certpbe NONE -nomac -passout pass:pw -out bare.p12
        python3 - <<'PY'
# RFC 9579, which no program here writes: PBKDF2 and HMAC over the contents.
import hashlib, hmac
def tlv(tag, *parts):
    value = b"".join(parts)
    length = bytes([len(value)]) if len(value) < 128 else b"\x82" + len(value).to_bytes(2, "big")
    return bytes([tag]) + length + value
def algorithm(oid, parameters): return tlv(0x30, tlv(6, bytes.fromhex(oid)), parameters)
bare = open("bare.p12", "rb").read()[4:]
safe = bare[bare.index(b"\xa0\x82") + 8:]
hmac256 = algorithm("2a864886f70d0209", tlv(5))
derivation = algorithm("2a864886f70d01050c", tlv(0x30, tlv(4, b"saltsalt"), tlv(2, b"\x08\x00"), tlv(2, b"\x20"), hmac256))
value = hmac.digest(hashlib.pbkdf2_hmac("sha256", b"pw", b"saltsalt", 2048, 32), safe, "sha256")
mac = tlv(0x30, tlv(0x30, algorithm("2a864886f70d01050e", tlv(0x30, derivation, hmac256)), tlv(4, value)), tlv(4, b"unused"), tlv(2, b"\1"))
open("pbmac1.p12", "wb").write(tlv(0x30, bare, mac))
PY
        (echo '-----BEGIN PKCS12-----'; base64 -w 76 openssl.p12; echo '-----END PKCS12-----') >pem.p12
        "#,
    );
    let files = [
        "openssl",
        "legacy",
        "odd",
        "mixed",
        "plain",
        "bare",
        "unchecked",
        "chain",
        "gnutls",
        "gnutls3des",
        "nss",
        "nssold",
        "pem",
        "pbmac1",
    ];
    for file in files {
        assert_eq!(held(&desk.card(&format!("9a=%{file}.p12:pw"))), ("rsa2048", Some("CN=leaf".into())), "{file}");
    }
    assert_eq!(desk.refused("9a=%pbmac1.p12:wrong"), "%pbmac1.p12: the password does not open it");
    assert_eq!(
        held(&desk.card("9a=%gnutls.pem:pw")),
        ("rsa2048", Some("CN=leaf".into())),
        "PKCS#12 in PEM, known by its contents"
    );
    // Indefinite lengths are what makes it BER; otherwise this shows nothing.
    assert_eq!(std::fs::read(desk.0.file("nss.p12")).unwrap()[..2], [0x30, 0x80]);
}

#[test]
fn a_password_is_blamed_when_it_is_wrong_and_only_then() {
    let desk = Desk::new(
        r#"
        store -out good.p12; store -legacy -out legacy.p12; store -nomac -out unchecked.p12
        head -c 1500 good.p12 >cut.p12
        python3 - <<'PY'
bytes = bytearray(open("good.p12", "rb").read())
bytes[-20] ^= 1
open("check.p12", "wb").write(bytes)
PY
        openssl pkcs12 -export -inkey leaf.key -in leaf.pem -passout pass: -out empty.p12
        openssl pkcs8 -topk8 -in leaf.key -passout pass:pw -outform DER -out pkcs8.der
        openssl rsa -in leaf.key -aes256 -traditional -passout pass:pw -out traditional.pem 2>/dev/null
        cp leaf.key ssh; ssh-keygen -q -p -f ssh -N password
        "#,
    );
    for file in ["good.p12", "legacy.p12", "unchecked.p12", "pkcs8.der::pass", "traditional.pem::pass", "ssh::pass"] {
        let (name, word) = file.split_once("::").unwrap_or((file, ""));
        let word = if word.is_empty() { String::new() } else { format!(":{word}") };
        assert_eq!(desk.refused(&format!("9a=%{name}{word}:wrong")), format!("%{name}: the password does not open it"));
        assert!(
            desk.refused(&format!("9a=%{name}"))
                .starts_with(&format!("%{name}: the private key is encrypted; add its password: "))
        );
    }
    assert_eq!(desk.refused("9a=%cut.p12:pw"), "%cut.p12: its structure is damaged or cut off");
    assert_eq!(desk.refused("9a=%cut.p12:wrong"), "%cut.p12: its structure is damaged or cut off");
    let changed = "%check.p12: it was changed after it was written: its check value does not fit, though the password opens it";
    assert_eq!(desk.refused("9a=%check.p12:pw"), changed);
    assert_eq!(desk.refused("9a=%check.p12:wrong"), "%check.p12: the password does not open it");
    assert_eq!(held(&desk.card("9a=%empty.p12")).0, "rsa2048");
    assert!(desk.refused("9a=%leaf.key:env:CARDLAB_NO_SUCH_VARIABLE").contains("there is no environment variable CARDLAB_NO"));
    assert_eq!(desk.refused("9a=%good.p12:ask"), "%good.p12: its password: nobody types it");
    // A word too many is a password that was not quoted, and is not repeated.
    let unquoted = desk.refused("9a=%good.p12:top:sec:ret");
    assert!(unquoted.contains("a word too many") && !unquoted.contains("ret'"), "{unquoted}");
}

#[test]
fn passwords_come_from_text_environment_file_and_person() {
    let desk = Desk::new(
        r#"
        store() { openssl pkcs12 -export -inkey leaf.key -in leaf.pem -passout "pass:$2" -out $1; }
        store k.p12 pw; store quoted.p12 'a,b:c"d'; store wide.p12 'Pässwörd🔑'
        printf 'pw\nsecond line' >word
        "#,
    );
    for (file, word) in [("k", "pw"), ("quoted", r#""a,b:c""d""#), ("wide", "Pässwörd🔑")] {
        for text in [format!("9a=%{file}.p12:{word}"), format!("9a=%{file}.p12:pass:{word}")] {
            assert_eq!(held(&desk.card(&text)).0, "rsa2048", "{text}");
        }
    }
    assert_eq!(held(&desk.card("9a=%k.p12:file:%word")).0, "rsa2048");
    let exec = |password: &str| {
        let lab = Lab::new(&format!("yubikey-5.7,9a={}:env:CARDLAB_TEST_PASSWORD", desk.0.file("k.p12").display()));
        said(lab.exec().env("CARDLAB_TEST_PASSWORD", password).arg("true").output().unwrap())
    };
    exec("pw").code(0);
    let text = exec("secret-word").code(2);
    has(&text, &["k.p12: the password does not open it"]);
    assert!(!text.contains("secret-word"), "{text}");
    let card = format!("yubikey-5.7,9a={}:ask", desk.0.file("k.p12").display());
    let mut terminal = Terminal::run(Command::new(CARDLAB).args(["exec", "--card", &card, "--", "echo", "made"]));
    terminal.sees("k.p12: ");
    terminal.types("pw\n");
    assert!(!terminal.sees("made").contains("pw"), "it is shown");
    terminal.ends();
}

#[test]
fn the_certificate_that_fits_is_taken_in_whatever_order() {
    let desk = Desk::new(
        r#"
        cat ca.pem other.pem leaf.pem >certificates.pem
        cat ca.pem leaf.key leaf.pem >mixed.pem
        openssl pkcs12 -export -nocerts -inkey leaf.key -passout pass:pw -out nocert.p12
        openssl pkcs12 -export -inkey leaf.key -in leaf.pem -certfile ca.pem -passout pass:pw -out chain.p12
        openssl x509 -in leaf.pem -trustout -out trusted.pem
        openssl x509 -in leaf.pem -outform DER -out leaf.der
        sed 's/$/\r/' leaf.pem >crlf.pem
        (printf '\xef\xbb\xbf'; cat leaf.pem) >bom.pem
        "#,
    );
    for certificates in ["certificates.pem", "trusted.pem", "leaf.der", "crlf.pem", "bom.pem"] {
        assert_eq!(held(&desk.card(&format!("9a=%leaf.key:%{certificates}"))).1.as_deref(), Some("CN=leaf"), "{certificates}");
    }
    assert_eq!(held(&desk.card("9a=%mixed.pem")).1.as_deref(), Some("CN=leaf"));
    assert_eq!(held(&desk.card("9a=%chain.p12:pw")).1.as_deref(), Some("CN=leaf"));
    assert_eq!(held(&desk.card("9a=%nocert.p12:pw")), ("rsa2048", None));
    assert_eq!(held(&desk.card("9a=%leaf.key")), ("rsa2048", None));
    let (_, heard) = desk.try_card("9a=%leaf.key:%ec.pem").unwrap();
    let [warning] = heard.as_slice() else { panic!("{heard:?}") };
    has(warning, &["ec.pem: the certificate of 'CN=ec' is for the key p256 ", ", not for rsa2048 ", "leaf.key"]);
    assert_eq!(desk.refused("9a=%leaf.key:%other.key"), "%other.key: no X.509 certificate in it, in PEM, DER or PKCS#12");
    // And it is said on the command line.
    let card = format!("yubikey-5.7,9a={}:{}", desk.0.file("leaf.key").display(), desk.0.file("ec.pem").display());
    has(&Lab::new(&card).run(&["true"]).ok(), &["cardlab: warning: ", "the certificate of 'CN=ec'"]);
}

#[test]
fn of_several_keys_one_is_chosen_by_name_or_number() {
    let desk = Desk::new(
        r#"
        cat leaf.key ec.key >two.pem
        "#,
    );
    let both = two_keys(&desk);
    std::fs::write(desk.0.file("both.p12"), both).unwrap();
    let several = "%both.p12: it has 2 private keys; say which one by its name or number behind a colon \
        (FILE.p12:PASSWORD:NAME): 1 'leaf' (rsa2048), 2 'e, c' (p256)";
    assert_eq!(desk.refused("9a=%both.p12:pw"), several);
    assert_eq!(held(&desk.card("9a=%both.p12:pw:leaf")), ("rsa2048", Some("CN=leaf".into())));
    assert_eq!(held(&desk.card("9a=%both.p12:pw:\"e, c\"")), ("p256", Some("CN=ec".into())));
    assert_eq!(held(&desk.card("9a=%both.p12:pw:2")), ("p256", Some("CN=ec".into())));
    let none = "%both.p12: no private key named 'nobody' in it; there are: 1 'leaf' (rsa2048), 2 'e, c' (p256)";
    assert_eq!(desk.refused("9a=%both.p12:pw:nobody"), none);
    let several = "%two.pem: it has 2 private keys; say which one by its name or number behind a colon (KEY.pem::NUMBER): \
        1 (rsa2048), 2 (p256)";
    assert_eq!(desk.refused("9a=%two.pem"), several);
    assert_eq!(held(&desk.card("9a=%two.pem::2")).0, "p256");
    assert_eq!(held(&desk.card("9a=%two.pem:%ec.pem:2")), ("p256", Some("CN=ec".into())));
}

/// A PKCS#12 file with the contents of two, which no program of these writes: both plain parts in one.
fn two_keys(desk: &Desk) -> Vec<u8> {
    desk.0
        .host(
            r#"
            openssl pkcs12 -export -inkey leaf.key -in leaf.pem -name leaf -keypbe NONE -certpbe NONE -nomac -passout pass:pw -out a.p12
            openssl pkcs12 -export -inkey ec.key -in ec.pem -name 'e, c' -keypbe NONE -certpbe NONE -nomac -passout pass:pw -out b.p12
            "#,
        )
        .ok();
    let safes: Vec<u8> = ["a.p12", "b.p12"]
        .iter()
        .flat_map(|name| {
            let file = std::fs::read(desk.0.file(name)).unwrap();
            let data = tlv::find_path(&file, &[0x30, 0x30, 0xA0, 0x04]).unwrap();
            tlv::find(data, 0x30).unwrap().to_vec()
        })
        .collect();
    let data =
        [hex::decode("06092A864886F70D010701").unwrap(), tlv::encode(0xA0, &tlv::encode(0x04, &tlv::encode(0x30, &safes)))]
            .concat();
    tlv::encode(0x30, &[vec![0x02, 0x01, 0x03], tlv::encode(0x30, &data)].concat())
}

#[test]
fn keys_are_read_in_every_form_and_kind() {
    let desk = Desk::new(
        r#"
        for curve in prime256v1 secp384r1; do
            for form in compressed uncompressed; do
                openssl ecparam -name $curve -genkey -noout -param_enc explicit -conv_form $form -out $curve.$form.sec1
                openssl pkcs8 -topk8 -nocrypt -in $curve.$form.sec1 -out $curve.$form.pkcs8
            done
            openssl ecparam -name $curve -genkey -out $curve.with-parameters
            openssl ec -in $curve.with-parameters -outform DER -out $curve.der 2>/dev/null
            openssl ec -in $curve.with-parameters -no_public -out $curve.no-public 2>/dev/null
        done
        openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss 2>/dev/null
        for kind in ed25519 x25519; do openssl genpkey -algorithm $kind -out $kind; openssl pkey -in $kind -outform DER -out $kind.der; done
        openssl pkey -in leaf.key -outform DER -out pkcs8.der
        openssl rsa -in leaf.key -traditional -outform DER -out pkcs1.der 2>/dev/null
        openssl rsa -in leaf.key -traditional -out pkcs1.pem 2>/dev/null
        for cipher in aes128 aes256 des3; do openssl rsa -in leaf.key -$cipher -traditional -passout pass:pw -out $cipher.pem 2>/dev/null; done
        openssl pkcs8 -topk8 -in leaf.key -passout pass:pw -outform DER -out aes.der
        openssl pkcs8 -topk8 -in leaf.key -passout pass:pw -v2 des3 -v2prf hmacWithSHA1 -out des3.enc
        openssl pkcs8 -topk8 -in leaf.key -passout pass:pw -scrypt -out scrypt.enc
        openssl pkcs8 -topk8 -in leaf.key -passout pass:pw -v1 PBE-SHA1-3DES -out pkcs12.enc
        ssh-keygen -q -t rsa -b 2048 -N '' -f ssh-rsa; ssh-keygen -q -t ecdsa -b 384 -N '' -f ssh-ecdsa; ssh-keygen -q -t ed25519 -N '' -f ssh-ed25519
        ssh-keygen -q -t ed25519 -N password -f ssh-encrypted; ssh-keygen -q -t ecdsa -b 256 -N password -a 2 -Z aes256-gcm@openssh.com -f ssh-gcm
        "#,
    );
    for (curve, name) in [("prime256v1", "p256"), ("secp384r1", "p384")] {
        let forms = [
            "compressed.sec1",
            "compressed.pkcs8",
            "uncompressed.sec1",
            "uncompressed.pkcs8",
            "with-parameters",
            "der",
            "no-public",
        ];
        for form in forms {
            assert_eq!(held(&desk.card(&format!("9a=%{curve}.{form}"))).0, name, "{curve}.{form}");
        }
    }
    let files = [
        ("pss", "rsa2048"),
        ("ed25519", "ed25519"),
        ("x25519", "x25519"),
        ("ed25519.der", "ed25519"),
        ("x25519.der", "x25519"),
        ("pkcs8.der", "rsa2048"),
        ("pkcs1.der", "rsa2048"),
        ("pkcs1.pem", "rsa2048"),
        ("aes128.pem:pass:pw", "rsa2048"),
        ("aes256.pem:pass:pw", "rsa2048"),
        ("des3.pem:pass:pw", "rsa2048"),
        ("aes.der:pass:pw", "rsa2048"),
        ("des3.enc:pass:pw", "rsa2048"),
        ("scrypt.enc:pass:pw", "rsa2048"),
        ("pkcs12.enc:pass:pw", "rsa2048"),
        ("ssh-rsa", "rsa2048"),
        ("ssh-ecdsa", "p384"),
        ("ssh-ed25519", "ed25519"),
        ("ssh-encrypted:pass:password", "ed25519"),
        ("ssh-gcm:pass:password", "p256"),
    ];
    for (file, name) in files {
        assert_eq!(held(&desk.card(&format!("9a=%{file}"))).0, name, "{file}");
    }
}

#[test]
fn what_cannot_be_used_is_named_and_helped() {
    let desk = Desk::new(
        r#"
        openssl genrsa -out weak 1536 2>/dev/null; openssl genrsa -3 -out three 2048 2>/dev/null
        openssl ecparam -name secp256k1 -genkey -noout -out koblitz
        openssl ecparam -name brainpoolP256r1 -genkey -noout -param_enc explicit -out brainpool
        openssl genpkey -algorithm ed448 -out ed448
        openssl dsaparam -genkey -out dsa 1024 2>/dev/null; openssl pkey -in leaf.key -pubout -out public
        iconv -f UTF-8 -t UTF-16 leaf.key >utf16; printf '\xfe\xed\xfe\xed\0\0\0\2' >jks; echo 'PuTTY-User-Key-File-3: ssh-rsa' >ppk
        ssh-keygen -q -t ed25519 -N '' -f ssh; truncate -s 3G large; mkdir directory; : >empty; echo hello >text
        head -c 400 leaf.key >cut; sed '5s/./!/' leaf.key >bad; (head -5 leaf.key; cat ec.key) >run-on
        openssl pkcs12 -export -inkey leaf.key -in leaf.pem -legacy -keypbe PBE-SHA1-RC4-128 -certpbe PBE-SHA1-RC4-128 -passout pass:pw -out rc4.p12
        openssl pkcs12 -export -nokeys -in leaf.pem -passout pass:pw -out nokey.p12
        openssl pkcs12 -export -inkey leaf.key -in leaf.pem -iter 65539 -certpbe NONE -nomac -passout pass:pw -out one.p12
        openssl pkcs8 -topk8 -in leaf.key -v2 aes256 -iter 65539 -passout pass:pw -outform DER -out one.der
        # One that wants more hashes than there are for a file, and one whose keys want more than that together.
        python3 - <<'PY'
import base64
def wanting(hashes, file):
    contents = open(file, "rb").read()
    assert contents.count(b"\2\3\1\0\3") == 1
    return contents.replace(b"\2\3\1\0\3", b"\2\3" + hashes.to_bytes(3, "big"))
open("slow.p12", "wb").write(wanting(6000001, "one.p12"))
with open("many", "wb") as many:
    for hashes in 65539, 6000000 - 65538:
        lines = base64.encodebytes(wanting(hashes, "one.der"))
        many.write(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + lines + b"-----END ENCRYPTED PRIVATE KEY-----\n")
PY
        "#,
    );
    let held = "cards hold RSA of 1024, 2048, 3072 or 4096 bits with the exponent 65537, P-256, P-384, P-521, Ed25519, X25519";
    let slow = "it wants its password hashed more often than a key file needs; write it anew with: openssl pkcs8 -topk8 -v2 aes256 -iter \
                100000, openssl pkcs12 -export -iter 100000, or ssh-keygen -p -a 100";
    let expected = [
        ("weak", format!("an RSA key of 1536 bits; {held}")),
        ("three", format!("an RSA key whose public exponent is 3; {held}")),
        ("koblitz", format!("a key on the curve secp256k1; {held}")),
        ("brainpool", format!("a key on a curve of its own parameters; {held}")),
        ("ed448", format!("a key for id-Ed448; {held}")),
        ("dsa", format!("a key for DSA; {held}")),
        ("public", "no private key in it; what it has: PUBLIC KEY".into()),
        ("leaf.pem", "no private key in it; what it has: CERTIFICATE".into()),
        ("nokey.p12:pw", "no private key in it; what it has: certificates".into()),
        ("ssh.pub", "a public key of SSH, not the private one; this helps: name the file without .pub".into()),
        ("utf16", "text in UTF-16; this helps: iconv -f UTF-16 -t UTF-8 FILE > NEW".into()),
        (
            "jks",
            "a Java key store; this helps: keytool -importkeystore -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12"
                .into(),
        ),
        ("ppk", "a PuTTY key; this helps: puttygen FILE -O private-openssh-new -o NEW".into()),
        ("large", "more than 1 MiB; no key file is that large".into()),
        ("directory", "a directory, not a file with a key".into()),
        ("empty", "a file of no bytes".into()),
        ("text", "not a private key in PKCS#8, PKCS#1 or SEC 1".into()),
        ("cut", "the PEM block 'PRIVATE KEY' is cut off or damaged".into()),
        ("bad", "the PEM block 'PRIVATE KEY' is cut off or damaged".into()),
        ("run-on", "the PEM block 'PRIVATE KEY' is cut off or damaged".into()),
        ("slow.p12:pw", slow.into()),
        ("many:pass:pw", slow.into()),
    ];
    for (file, reason) in expected {
        let name = file.split(':').next().unwrap();
        assert_eq!(desk.refused(&format!("9a=%{file}")), format!("%{name}: {reason}"));
    }
    let rc4 = desk.refused("9a=%rc4.p12:pw");
    assert!(rc4.contains("it is protected by RC4 of 128 bits, which is not taken"), "{rc4}");
    has(&cardlab(&["exec", "--card", "nist-piv,9a=/dev/zero", "--", "true"]).code(2), &["/dev/zero: more than 1 MiB"]);
    for settings in
        ["9a=%leaf.key,9A=%ec.key", "pin=111111,pin=222222", "management-key=%k,admin-key=%k", "printed=%text,5FC109=%text"]
    {
        let settings = settings.replace("%k", crate::common::KEY);
        assert!(desk.refused(&settings).ends_with("is given twice; give it once"), "{settings}");
    }
}

#[test]
fn a_certificate_may_sign_itself_and_be_compressed() {
    let desk = Desk::new("");
    let subject = |card: &Card| held(card).1.unwrap();
    assert!(subject(&desk.card("serial=7,9a=%leaf.key:self")).starts_with("CN=cardlab 7 9a"));
    assert!(subject(&desk.card("serial=7,9a=%ec.key:%ca.pem:self")).starts_with("CN=cardlab 7 9a"), "even if another is given");
    assert!(subject(&desk.card("serial=7,9a=new:p384:self")).starts_with("CN=cardlab 7 9a"));
    assert_eq!(desk.refused("9d=new:x25519:self"), "slot 9d: x25519 keys cannot sign their own certificate; leave 'self' out");
    let lab = Lab::new(&format!("nist-piv,9a={0}/leaf.key:{0}/leaf.pem:gzip,9c=new:p256:gzip", desk.0.path().display()));
    let read = "pkcs15-tool --read-certificate 01 | openssl x509 -noout -subject; pkcs15-tool --read-certificate 02 | openssl x509 -noout -subject";
    has(&lab.sh(read).ok(), &["CN = leaf", "CN = cardlab"]);
    let object = lab.run(&["yubico-piv-tool", "-r", "cardlab", "-a", "read-object", "--id", "0x5fc105", "-f", "hex"]).ok();
    // 1F 8B begins what RFC 1952 compresses; CertInfo (71) says so.
    has(&object, &["1f8b08", "710101fe00"]);
}

#[test]
fn a_file_that_is_no_certificate_is_left_where_the_ca_should_go() {
    let desk = Desk::new("cp leaf.key mine; : > empty");
    let mine = std::fs::read(desk.0.path().join("mine")).unwrap();
    let said = desk.refused("9a=new:p256,ca=%mine");
    assert!(said.contains("%mine") && said.contains("no certificate in PEM; it was left as it was"), "{said}");
    assert_eq!(std::fs::read(desk.0.path().join("mine")).unwrap(), mine);
    // An empty file and the certificate of a run before are replaced.
    desk.card("9a=new:p256,ca=%empty");
    let path = desk.0.path().join("empty");
    let made = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&made[..60], b"stale"].concat()).unwrap();
    desk.card("9a=new:p256,ca=%empty");
    assert_eq!(std::fs::read(&path).unwrap(), made);
}

#[test]
fn data_objects_come_from_files() {
    let desk = Desk::new(
        r#"
        printf '\x01\x04Jane' >printed; printf '\x53\x06\x01\x04Jane' >whole; printf '\xbc\x02hi' >face; : >nothing
        printf '\x53\x00' >emptied; printf '\x7e\x00' >undiscovered; head -c 3100 /dev/zero >long
        "#,
    );
    let object = |settings: &str, tag| desk.card(settings).nvm().read(memory::object(tag)).map(<[u8]>::to_vec);
    for settings in ["5fc109=%printed", "printed=%printed", "5FC109=%whole"] {
        assert_eq!(object(settings, objects::PRINTED).as_deref(), Some(&b"\x01\x04Jane"[..]), "{settings}");
    }
    assert_eq!(object("5fff00=%face", 0x5F_FF00).as_deref(), Some(&b"\xbc\x02hi"[..]), "a vendor's object");
    assert_eq!(object("face=%face", 0x5F_C108).as_deref(), Some(&b"\xbc\x02hi"[..]));
    assert!(object("serial=1", objects::DISCOVERY).is_some());
    assert_eq!(object("discovery=%undiscovered", objects::DISCOVERY), None, "an empty object takes away what is there");
    assert_eq!(object("printed=%emptied", objects::PRINTED), None);
    assert_eq!(
        object("9a=%leaf.key:%leaf.pem,5fc105=%face", 0x5F_C105).as_deref(),
        Some(&b"\xbc\x02hi"[..]),
        "an object of one's own"
    );
    assert_eq!(object("discovery=/dev/null", objects::DISCOVERY), None);
    assert_eq!(object("discovery=%nothing", objects::DISCOVERY), None);
    assert!(desk.refused("printed=%long").starts_with("data object 5FC109: 3100 bytes are more than the card's "));
    let nist =
        |text: &str| cardlab(&["exec", "--card", &text.replace('%', &format!("{}/", desk.0.path().display())), "--", "true"]);
    has(&nist("nist-piv,5fff00=%face").code(2), &["data object 5FFF00: a nist-piv has no such data object"]);
    nist("nist-piv,face=%long").code(0);
    has(&nist("gids,printed=%printed").code(2), &["a gids has no such data object"]);
}

/// A directory in the layout of GSA's ICAM test cards, with keys of its own.
const ICAM: &str = r#"
    mkdir card
    issue() { openssl pkcs12 -export -inkey $2.key -in $2.pem -passout pass:$3 -out "card/$1.p12"; }
    issue '3 - ICAM_PIV_Auth_SP_800-73-4' leaf ''; issue '3 - ICAM_Test_Card_PIV_Auth_SP_800-73-4' other ''
    issue '6 - ICAM_PIV_Card_Auth_SP_800-73-4' ec ''; issue '14 - ICAM_PIV_Key_Hist1_SP_800-73-4' other ''
    cp leaf.pem 'card/3 - ICAM_PIV_Auth_SP_800-73-4.crt'; cp other.pem 'card/4 - ICAM_PIV_Dig_Sig_SP_800-73-4.crt'
    printf '\x7e\x12\x4f\x0b\xa0\x00\x00\x03\x08\x00\x00\x10\x00\x01\x00\x5f\x2f\x02\x60\x10' >'card/1 - Discovery Object'
    printf '\xba\x03abc' >'card/2 - Security Object'; printf '\xf0\x02ab' >'card/7 - CCC'; printf '\x30\x02ab' >'card/8 - CHUID Object'
    : >'card/12 - Unknown'; printf '\xbc\x01f' >'card/9 - Fingerprints'; head -c 6000 /dev/zero >'card/10 - Face Object'; printf '\x01\x01p' >'card/11 - Printed Information'
    printf '\xc1\x01\x01\xc2\x01\x00\xfe\x00' >'card/13 - Key History Object'
    echo text >card/README.md; echo text >'card/c46-chuid.properties'; cp ca.pem card/CHUID_Signer.crt
"#;

#[test]
fn a_whole_card_comes_from_a_directory() {
    let desk = Desk::new(ICAM);
    let card = |settings: &str| {
        let text = format!("nist-piv,from={}/card{settings}", desk.0.path().display());
        let mut heard = Heard::default();
        let request: CardRequest = text.parse().unwrap();
        (request.make_for(World::seeded(1), &mut heard).map_err(|e| e.to_string()), heard.0)
    };
    let (made, heard) = card("");
    let made = made.unwrap();
    assert_eq!(heard, ["the Discovery Object (7E) says that the card has a Global PIN; add global-pin=VALUE to give it one"]);
    assert_eq!(held(&made), ("rsa2048", Some("CN=leaf".into())), "of two files of a number the one of the shortest name");
    let object = |card: &Card, tag| card.nvm().read(memory::object(tag)).map(<[u8]>::to_vec).unwrap_or_default();
    let values = [
        (0x5F_C106, &b"\xba\x03abc"[..]),
        (objects::CCC, b"\xf0\x02ab"),
        (objects::CHUID, b"\x30\x02ab"),
        (0x5F_C103, b"\xbc\x01f"),
        (objects::PRINTED, b"\x01\x01p"),
        (objects::KEY_HISTORY, b"\xc1\x01\x01\xc2\x01\x00\xfe\x00"),
    ];
    for (tag, value) in values {
        assert_eq!(object(&made, tag), value, "{tag:X}");
    }
    assert_eq!((object(&made, objects::DISCOVERY).len(), object(&made, 0x5F_C108).len()), (18, 6000));
    let algorithm = |card: &Card, slot| keys::info(card.nvm(), slot).map(|slot| slot.algorithm.name());
    assert_eq!([0x9E, 0x9C, 0x9D, 0x82].map(|slot| algorithm(&made, slot)), [Some("p256"), None, None, Some("rsa2048")]);
    let signature = Holder::of(tlv::find(&object(&made, 0x5F_C10A), 0x70).unwrap()).unwrap();
    assert_eq!(signature.subject, "CN=other", "a certificate without its key");
    // What is said of one slot or object goes before the directory.
    let (made, heard) = card(&format!(",9a=new:p256,5fc102={0}/ca.pem,global-pin=123456", desk.0.path().display()));
    let made = made.unwrap();
    assert_eq!((algorithm(&made, 0x9A), heard.len()), (Some("p256"), 0));
    assert!(object(&made, objects::CHUID).starts_with(b"-----BEGIN"));
    // Real programs agree.
    let lab = Lab::new(&format!("nist-piv,from={}/card,global-pin=123456", desk.0.path().display()));
    has(&lab.sh("pkcs15-tool --read-certificate 01 | openssl x509 -noout -subject").ok(), &["CN = leaf"]);
    desk.0.host("issue() { openssl pkcs12 -export -inkey $2.key -in $2.pem -passout pass:$3 -out \"card/$1.p12\"; }; issue '5 - x' leaf pw").ok();
    assert!(card("").0.err().unwrap().contains("5 - x.p12: the private key is encrypted"));
    assert!(card(":wrong").0.err().unwrap().contains(".p12: the password does not open it"));
    assert!(matches!(desk.refused("from=%nowhere").as_str(), "%nowhere: there is no such file or directory; look at the name"));
    desk.0.host("mkdir bare").ok();
    assert!(desk.refused("from=%bare").starts_with("%bare: no file in it is named as those of GSA's ICAM test cards: "));
}

#[test]
fn a_file_damaged_anywhere_is_an_error_or_the_same_key_and_never_a_panic() {
    use cardlab_vreader::setup::keyfile::load_bytes;
    let desk = Desk::new(
        r#"
        openssl pkcs12 -export -inkey ec.key -in ec.pem -certfile ca.pem -iter 1 -passout pass:pw -out a
        openssl pkcs12 -export -inkey ec.key -in ec.pem -legacy -iter 1 -nomac -passout pass:pw -out b
        openssl pkcs12 -export -inkey ec.key -in ec.pem -keypbe NONE -certpbe NONE -nomac -passout pass:pw -out c
        openssl ec -in ec.key -param_enc explicit -outform DER -out d 2>/dev/null
        openssl pkcs8 -topk8 -in ec.key -iter 1 -passout pass:pw -outform DER -out e
        openssl ec -in ec.key -aes128 -passout pass:pw -out f 2>/dev/null
        ssh-keygen -q -t ecdsa -N '' -f g; openssl rsa -in leaf.key -traditional -outform DER -out h 2>/dev/null
        "#,
    );
    for file in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let whole = std::fs::read(desk.0.file(file)).unwrap();
        let key = |bytes: &[u8]| load_bytes(bytes, Some("pw")).ok().and_then(|key| KeyName::of(&key));
        let own = key(&whole);
        assert!(own.is_some(), "{file}");
        let (mut changed, mut others) = (whole.clone(), 0);
        for place in 0..whole.len() {
            for flip in [0x01, 0x80, 0xFF] {
                changed[place] ^= flip;
                others += usize::from(key(&changed).is_some_and(|key| Some(key) != own));
                changed[place] ^= flip;
            }
            // What follows the last line of a text is not missed.
            assert!(key(&whole[..place]).is_none() || is_text(&whole) && place + 1 == whole.len(), "{file} cut at {place}");
        }
        assert_eq!(others, 0, "{file}: another key");
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-----")
}
