//! The PC/SC API itself, through the real libpcsclite: a child of `cardlab exec` runs the test
//! function again with the `pcsc` crate.

use crate::common::{Lab, under_exec};
use pcsc::{Attribute, Card, Context, Disposition, Error, Protocols, Scope, ShareMode};
use std::time::Duration;

const READER: &std::ffi::CStr = c"Test 00 00";
const SELECT: [u8; 11] = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00];
const STATUS: [u8; 4] = [0x00, 0x20, 0x00, 0x80];
const VERIFY: [u8; 13] = [0x00, 0x20, 0x00, 0x80, 0x08, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0xFF, 0xFF];

fn context() -> Context {
    Context::establish(Scope::User).unwrap()
}

fn connect(context: &Context) -> Card {
    context.connect(READER, ShareMode::Shared, Protocols::ANY).unwrap()
}

fn send(card: &Card, apdu: &[u8]) -> Result<Vec<u8>, Error> {
    let mut buffer = [0; 300];
    card.transmit(apdu, &mut buffer).map(<[u8]>::to_vec)
}

#[test]
fn connect_transmit_attributes() {
    under_exec(&Lab::new("nist-piv,name=Test"), "pcsc_api::connect_transmit_attributes", || {
        let context = context();
        let mut buffer = [0; 200];
        let names: Vec<_> = context.list_readers(&mut buffer).unwrap().collect();
        assert_eq!(names, [READER]);
        let card = connect(&context);
        assert!(send(&card, &SELECT).unwrap().ends_with(&[0x90, 0x00]));
        let status = card.status2_owned().unwrap();
        assert_eq!(status.protocol2(), Some(pcsc::Protocol::T1));
        let mut buffer = [0; 100];
        assert_eq!(card.get_attribute(Attribute::AtrString, &mut buffer).unwrap(), status.atr());
        assert_eq!(card.get_attribute(Attribute::VendorName, &mut buffer).unwrap(), b"cardlab\0");
        assert_eq!(card.transmit(&SELECT, &mut [0; 4]).unwrap_err(), Error::InsufficientBuffer);
        assert_eq!(context.connect(c"nobody", ShareMode::Shared, Protocols::ANY).err(), Some(Error::UnknownReader));
        assert_eq!(context.connect(READER, ShareMode::Shared, Protocols::T0).err(), Some(Error::ProtoMismatch));
    });
}

#[test]
fn transactions_between_two_programs() {
    under_exec(&Lab::new("nist-piv,name=Test"), "pcsc_api::transactions_between_two_programs", || {
        let (first, second) = (context(), context());
        let (mut mine, theirs) = (connect(&first), connect(&second));
        send(&mine, &SELECT).unwrap();
        let transaction = mine.transaction().unwrap();
        assert!(send(&transaction, &VERIFY).unwrap().ends_with(&[0x90, 0x00]));
        // The other one waits in the library until the transaction ends.
        let waiter = std::thread::spawn(move || {
            let answer = send(&theirs, &STATUS);
            (theirs, answer)
        });
        assert!(send(&transaction, &STATUS).unwrap().ends_with(&[0x90, 0x00]));
        assert!(!waiter.is_finished());
        transaction.end(Disposition::ResetCard).map_err(|(_, e)| e).unwrap();
        let (mut theirs, answer) = waiter.join().unwrap();
        assert_eq!(answer.unwrap_err(), Error::ResetCard);
        theirs.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard).unwrap();
        assert_eq!(send(&theirs, &STATUS).unwrap(), [0x63, 0xC3], "the verification went with the reset");
        assert_eq!(first.connect(READER, ShareMode::Exclusive, Protocols::ANY).err(), Some(Error::SharingViolation));
    });
}

#[test]
fn status_changes_and_cancel() {
    under_exec(&Lab::new("nist-piv,name=Test"), "pcsc_api::status_changes_and_cancel", || {
        let context = context();
        let mut states = [pcsc::ReaderState::new(READER, pcsc::State::UNAWARE)];
        context.get_status_change(Duration::ZERO, &mut states).unwrap();
        assert!(states[0].event_state().contains(pcsc::State::PRESENT | pcsc::State::CHANGED));
        states[0].sync_current_state();
        assert_eq!(context.get_status_change(Duration::from_millis(50), &mut states), Err(Error::Timeout));
        let canceller = context.clone();
        let thread = std::thread::spawn(move || {
            let result = context.get_status_change(None, &mut states);
            result.unwrap_err()
        });
        // A cancel before the wait has begun does nothing, so it is repeated until the wait ends.
        while !thread.is_finished() {
            canceller.cancel().unwrap();
            std::thread::yield_now();
        }
        assert_eq!(thread.join().unwrap(), Error::Cancelled);
    });
}

#[test]
fn many_contexts_and_threads() {
    under_exec(&Lab::new("nist-piv,name=Test"), "pcsc_api::many_contexts_and_threads", || {
        let threads: Vec<_> = (0..50)
            .map(|_| {
                std::thread::spawn(|| {
                    let context = context();
                    let mut card = connect(&context);
                    for _ in 0..20 {
                        let transaction = card.transaction().unwrap();
                        assert!(send(&transaction, &SELECT).unwrap().ends_with(&[0x90, 0x00]));
                        assert_eq!(send(&transaction, &STATUS).unwrap(), [0x63, 0xC3]);
                    }
                    // Dropping it would reset the card for everybody.
                    card.disconnect(Disposition::LeaveCard).map_err(|(_, e)| e).unwrap();
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
