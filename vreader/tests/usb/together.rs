//! A guest and the programs of its host at one card.

use super::{RIGHT, SELECT, STATUS, WIRES, World2};
use cardlab_pcsclite::client::{Context, Disposition, ShareMode};
use cardlab_pcsclite::code::ReturnCode;
use cardlab_vreader::usb::ccid::message::to_reader;

#[test]
fn they_share_it_and_tell_each_other_of_resets() {
    let world = World2::new();
    let context = Context::establish_at(&world.socket).unwrap();
    for wire in WIRES {
        let mut program = context.connect("One 00 00", ShareMode::Shared).unwrap();
        program.transmit(SELECT).unwrap();
        let mut host = world.guest(wire, 0);
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        assert_eq!(program.transmit(STATUS).map_err(|e| e.code()), Err(Some(ReturnCode::RESET_CARD)), "{wire:?}");
        host.transmit(0, SELECT);
        assert_eq!(host.transmit(0, RIGHT), [0x90, 0]);
        program.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
        assert_eq!(program.transmit(STATUS).unwrap(), [0x90, 0], "what the guest has verified");
        // A program's reset is a card that was out for a moment.
        program.reconnect(ShareMode::Shared, Disposition::Reset).unwrap();
        let seq = host.begin(0, STATUS);
        assert_eq!(host.reply_to(seq), Err((1, 0xFE)));
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3]);
        // So is a reset on the bench, also when the guest asks nothing.
        world.do_it(world.rack.reset(world.places[0], false)).unwrap();
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        // The guest's power-off leaves it to the program, which is told nothing new.
        program.reconnect(ShareMode::Shared, Disposition::Leave).unwrap();
        host.power_off(0);
        program.transmit(SELECT).unwrap();
    }
}

#[test]
fn a_transaction_keeps_the_guest_waiting_and_it_is_told_so() {
    let world = World2::new();
    let context = Context::establish_at(&world.socket).unwrap();
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        host.power_on(0).unwrap();
        let mut program = context.connect("One 00 00", ShareMode::Shared).unwrap();
        program.begin().unwrap();
        program.transmit(SELECT).unwrap();
        let seq = host.begin(0, STATUS);
        // Asks for more time every second.
        let transfer = host.bus.ask(0x82, 100);
        let more = host.bus.wait(transfer).unwrap();
        assert_eq!((more[0], more[6], more[7], more[8]), (0x80, seq, 0x80, 1), "{wire:?}");
        program.transmit(RIGHT).unwrap();
        program.end(Disposition::Leave).unwrap();
        assert_eq!(host.reply_to(seq), Ok(vec![0x90, 0]), "after the transaction");
        assert_eq!(host.send(to_reader::GET_SLOT_STATUS, 0, &[]), host.reply().seq);
    }
}

/// Nobody but one guest has a device, over whichever wire.
#[test]
fn a_second_guest_is_sent_away_and_the_first_hears_nothing_of_it() {
    let world = World2::new();
    for first in WIRES {
        let mut host = world.guest(first, 0);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        assert!(super::Redir::connect(&world.redir[0]).is_none());
        assert!(super::Usbip::import(world.usbip, 1).is_none());
        for _ in 0..2 {
            assert!(world.ended.recv().unwrap().starts_with("another guest has the device"), "{first:?}");
        }
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3]);
        let mut other = world.guest(first, 1);
        other.power_on(0).unwrap();
    }
}

#[test]
fn a_guest_that_goes_takes_its_verification_along() {
    let world = World2::new();
    for (before, after) in [(WIRES[0], WIRES[1]), (WIRES[1], WIRES[0])] {
        let mut host = world.guest(before, 0);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        host.transmit(0, RIGHT);
        // In the middle of a command, and of a transfer.
        host.begin(0, STATUS);
        drop(host);
        let mut host = world.guest(after, 0);
        assert!(!world.rack.card(world.places[0]).lock().card().unwrap().is_powered());
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3], "{after:?}");
    }
}
