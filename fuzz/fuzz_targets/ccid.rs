//! Whatever a host does with a reader, every reply is a message, and nothing grows.
#![no_main]
use cardlab_vreader::usb::Identity;
use cardlab_vreader::usb::ccid::message::{HEAD, MAX_DATA, Reply};
use cardlab_vreader::usb::ccid::{Action, Ended, Function, MOST_UNREAD, Setup, Work};
use cardlab_vreader::usb::descriptor::{BULK_IN, BULK_OUT, INTERRUPT_IN, Wanted};

libfuzzer_sys::fuzz_target!(|steps: Vec<Vec<u8>>| {
    let mut function = Function::new(Identity::of(&Wanted::default(), "gids", 1, "Reader", true));
    function.set_configuration(1);
    for step in steps {
        match step.split_first() {
            Some((0, rest)) => drop(function.write(BULK_OUT, rest)),
            Some((1, [a, b, c, d, e, f, g, h, ..])) => drop(function.control(Setup::read([*a, *b, *c, *d, *e, *f, *g, *h]))),
            Some((2, [present, ..])) => function.card(0, present & 1 != 0),
            Some((3, _)) => function.second(),
            Some((4, atr)) => {
                while let Some(Action { slot, ticket, what }) = function.next_action() {
                    let ended = match what {
                        Work::PowerOn { .. } => Ended::Power(Some(atr.to_vec())),
                        Work::Transmit(command) => Ended::Answer(Ok(command.to_vec())),
                        Work::AtKeypad(_) => Ended::Keypad(cardlab_vreader::pin_pad::TIMEOUT),
                        Work::PowerOff | Work::SetProtocol(_) | Work::GiveUp => Ended::Done,
                    };
                    function.ended(slot, ticket, ended);
                }
            }
            Some((5, _)) => drop(function.read(INTERRUPT_IN, 8)),
            _ => {
                let mut count = 0;
                while let Some(reply) = function.read(BULK_IN, HEAD + MAX_DATA) {
                    assert!(Reply::read(&reply).is_some());
                    count += 1;
                }
                assert!(count <= MOST_UNREAD + 2);
            }
        }
    }
});
