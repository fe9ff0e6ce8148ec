//! What stands in certificates and wrapped messages of secure channels is read, or refused.
#![no_main]
use cardlab_client::messaging::{Host, signer, verify};
use cardlab_protocol::channel::piv::Suite;
use cardlab_protocol::channel::piv::certificate::Signed;
use cardlab_protocol::channel::piv::wrapping::{WrappedCommand, WrappedResponse, add_mac, command};
use cardlab_protocol::channel::scp::wrapping::split;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(signed) = Signed::parse(bytes) {
        // What was read is what is written, but for how long a length is.
        let again = signed.certificate.signed(signed.signature);
        assert_eq!(Signed::parse(&again).map(|again| again.certificate), Some(signed.certificate));
    }
    if let Ok(wrapped) = WrappedCommand::parse(bytes) {
        let mut again = command(wrapped.cryptogram, wrapped.expects_data);
        add_mac(&mut again, wrapped.mac);
        assert!(WrappedCommand::parse(&again).is_ok());
    }
    let _ = (WrappedResponse::parse(bytes), split(bytes));
    let _ = signer(bytes).and_then(|signer| verify(bytes, &signer));
    for suite in Suite::ALL {
        let host = Host::with_key(suite, [1; 8], vec![0x33; suite.coordinate()].into()).expect("a key");
        let _ = host.accept(suite, bytes);
    }
});
