//! Key files and the settings that name them: an error or a key that works.
//! Seeds: files of `openssl pkcs12 -iter 1`, `pk12util`, `ssh-keygen`; the password is `pw`.
#![no_main]

use cardlab_vreader::CardRequest;
use cardlab_vreader::setup::keyfile::load_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for password in [None, Some("pw")] {
        if let Ok(key) = load_bytes(bytes, password) {
            assert!(key.public().is_ok());
        }
    }
    let request = str::from_utf8(bytes).ok().and_then(|text| format!("nist-piv,{text}").parse::<CardRequest>().ok());
    assert!(request.is_none_or(|request| request.to_string().starts_with("nist-piv")));
});
