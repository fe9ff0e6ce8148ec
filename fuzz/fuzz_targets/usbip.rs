//! A host's bytes are answered, or end the connection; a message is read as it is written.
#![no_main]
use cardlab_vreader::usb::Identity;
use cardlab_vreader::usb::ccid::Function;
use cardlab_vreader::usb::descriptor::Wanted;
use cardlab_vreader::usb::session::Wire;
use cardlab_vreader::usb::usbip::Imported;
use cardlab_vreader::usb::usbip::wire::{Answer, Command, Request};

libfuzzer_sys::fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let mut function = Function::new(Identity::of(&Wanted::default(), "gids", 1, "Reader", true));
    let (mut wire, mut out) = (Imported::default(), Vec::new());
    for piece in pieces {
        if let Ok(Some((request, used))) = Request::read(&piece) {
            assert_eq!(request.to_bytes().len(), used);
        }
        if let Ok(Some((command, used))) = Command::read(&piece) {
            assert!(used <= piece.len());
            let again = command.to_bytes();
            assert_eq!(Command::read(&again), Ok(Some((command, again.len()))));
        }
        let _ = Answer::read(&piece, |_| true);
        if wire.receive(&piece, &mut function).is_err() {
            return;
        }
        wire.advance(&mut function, true, &mut out);
    }
});
