//! A guest's bytes are answered, or end the connection; a packet is read as it is written.
#![no_main]
use cardlab_vreader::usb::Identity;
use cardlab_vreader::usb::ccid::Function;
use cardlab_vreader::usb::descriptor::Wanted;
use cardlab_vreader::usb::session::Wire;
use cardlab_vreader::usb::usbredir::Redir;
use cardlab_vreader::usb::usbredir::wire::{Both, Framed, Packet, read};

libfuzzer_sys::fuzz_target!(|input: (u32, Vec<Vec<u8>>)| {
    let (capabilities, pieces) = input;
    let mut function = Function::new(Identity::of(&Wanted::default(), "gids", 1, "Reader", true));
    let (mut wire, mut out) = (Redir::default(), Vec::new());
    let mut hello = Vec::new();
    Framed { id: 0, packet: Packet::Hello { capabilities } }.write(Both::default(), &mut hello);
    assert!(wire.receive(&hello, &mut function).is_ok());
    for piece in pieces {
        for both in [Both::default(), Both(capabilities)] {
            if let Ok(Some((framed, used))) = read(&piece, both) {
                assert!(used <= piece.len());
                let mut again = Vec::new();
                framed.write(both, &mut again);
                assert_eq!(read(&again, both), Ok(Some((framed, again.len()))));
            }
        }
        if wire.receive(&piece, &mut function).is_err() {
            return;
        }
        wire.advance(&mut function, piece.first() != Some(&0xFE), &mut out);
    }
});
