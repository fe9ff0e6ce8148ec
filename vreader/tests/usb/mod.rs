//! Readers as USB devices, over both wires as guests speak them.

mod guest;
mod hostile;
mod together;

use cardlab_sim::{Card, Profile, World};
use cardlab_vreader::server::listen;
use cardlab_vreader::usb::descriptor::{INTERRUPT_IN, Wanted};
use cardlab_vreader::usb::session::SessionError;
use cardlab_vreader::usb::{Device, Identity, usbip, usbredir};
use cardlab_vreader::{Place, Rack, Server, VirtualCard};
use guest::{Host, Redir, Usbip};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const SELECT: &[u8] = &[0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8];
pub(crate) const STATUS: &[u8] = &[0, 0x20, 0, 0x80];
pub(crate) const RIGHT: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";
pub(crate) const WRONG: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";

/// The two wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Redir,
    Usbip,
}
pub(crate) const WIRES: [Wire; 2] = [Wire::Redir, Wire::Usbip];

/// A computer with two readers, each a USB device at both wires, and both together as another: at USB/IP `1-1`, `1-2`, `1-3`.
pub(crate) struct World2 {
    pub(crate) rack: Rack,
    pub(crate) places: [Place; 2],
    pub(crate) runtime: tokio::runtime::Handle,
    /// Where programs connect.
    pub(crate) socket: PathBuf,
    pub(crate) redir: [PathBuf; 3],
    pub(crate) usbip: SocketAddr,
    /// Why guests were sent away.
    pub(crate) ended: Receiver<String>,
    _stop: tokio::sync::oneshot::Sender<()>,
    _directory: tempfile::TempDir,
}

fn card(seed: u64) -> VirtualCard {
    VirtualCard::new(Card::new(Profile::builtin("nist-piv").unwrap(), World::seeded(seed)).unwrap(), None)
}

impl World2 {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (socket, redir) = (path("s"), ["u0", "u1", "u2"].map(path));
        let (tell, told) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (say, ended) = channel();
        std::thread::spawn({
            let (socket, redir) = (socket.clone(), redir.clone());
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let rack = Rack::new(Server::new(cardlab_sim::Random::from_number(1, 1), Duration::ZERO));
                    let places = [rack.add("One", card(1)).await, rack.add("Two", card(2)).await];
                    rack.add_pin_pad(places[0]);
                    let one = Identity::of(&Wanted::default(), "nist-piv", 1, "One", true);
                    let two = Identity::of(&Wanted::default(), "nist-piv", 2, "Two", false);
                    let both = Identity::joined(&[one.clone(), two.clone()]).unwrap();
                    let devices: Vec<Device> = [(&places[..1], one), (&places[1..], two), (&places[..], both)]
                        .map(|(places, identity)| Device::new(rack.clone(), places.to_vec(), identity))
                        .into();
                    let hear = move |error: &SessionError| drop(say.send(error.to_string()));
                    tokio::spawn(rack.server().clone().serve(listen(&socket).unwrap()));
                    for (path, device) in redir.iter().zip(&devices) {
                        tokio::spawn(usbredir::serve(listen(path).unwrap(), device.clone(), hear.clone()));
                    }
                    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    let address = listener.local_addr().unwrap();
                    tokio::spawn(usbip::serve(listener, devices, hear));
                    tell.send((rack, places, address, tokio::runtime::Handle::current())).unwrap();
                    let _ = stopped.await;
                });
                runtime.shutdown_background();
            }
        });
        let (rack, places, usbip, runtime) = told.recv().unwrap();
        Self { rack, places, runtime, socket, redir, usbip, ended, _stop: stop, _directory: directory }
    }

    /// A guest that has this device, configured; whoever had it before has ended.
    pub(crate) fn guest(&self, wire: Wire, device: usize) -> Host {
        // The device is free once its cards have no power any more.
        let mut host = loop {
            let bus = match wire {
                Wire::Redir => Redir::connect(&self.redir[device]).map(|bus| Box::new(bus) as _),
                Wire::Usbip => Usbip::import(self.usbip, device + 1).map(|bus| Box::new(bus) as _),
            };
            match bus {
                Some(bus) => break Host::new(bus),
                None => std::thread::yield_now(),
            }
        };
        host.configure();
        host
    }

    pub(crate) fn do_it<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

#[test]
fn a_device_is_enumerated_powered_and_asked() {
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        let device = host.descriptor(0x0100, 18);
        assert_eq!(device[8..12], [0x0F, 0x0E, 0x04, 0x00], "{wire:?}");
        let configuration = host.descriptor(0x0200, 255);
        assert_eq!(configuration.len(), 93);
        let name: Vec<u8> = host.descriptor(0x0302, 255)[2..].iter().copied().step_by(2).collect();
        assert_eq!(name, b"One");
        assert_eq!(host.control(0x80, 6, 0x0600, 0, 10), None, "no qualifier");
        assert_eq!(host.interrupt(), [0x50, 3]);
        assert_eq!(host.power_on(0).unwrap()[0], 0x3B);
        assert!(host.transmit(0, SELECT).ends_with(&[0x90, 0]));
        let put = [&[0, 0xDB, 0x3F, 0xFF, 0, 0x0B, 0xB8][..], &[0x5A; 3000]].concat();
        assert_eq!(host.transmit(0, &put).len(), 2, "the card's own answer to 3 KB");
        assert_eq!(host.transmit(0, RIGHT), [0x90, 0]);
        assert_eq!(host.transmit(0, STATUS), [0x90, 0]);
        // A reset takes the verification away, a cold one and a warm one.
        for off in [true, false] {
            if off {
                host.power_off(0);
            }
            host.power_on(0).unwrap();
            host.transmit(0, SELECT);
            assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3], "{wire:?}");
            host.transmit(0, RIGHT);
        }
    }
    assert!(world.ended.try_recv().is_err());
}

#[test]
fn slots_of_one_device_are_different_cards() {
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 2);
        assert_eq!(host.interrupt(), [0x50, 0b1111]);
        for slot in [0, 1] {
            host.power_on(slot).unwrap();
            host.transmit(slot, SELECT);
        }
        assert_eq!(host.transmit(0, WRONG)[0], 0x63);
        assert_eq!(host.transmit(0, RIGHT), [0x90, 0]);
        assert_eq!((host.transmit(0, STATUS), host.transmit(1, STATUS)), (vec![0x90, 0], vec![0x63, 0xC3]));
        assert!(host.power_on(2).is_err());
    }
}

#[test]
fn cards_go_in_and_out_also_in_the_middle_of_a_command() {
    let world = World2::new();
    let place = world.places[0];
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        world.rack.card(place).lock().set_pace("verify:60000".parse().unwrap());
        let seq = host.begin(0, WRONG);
        world.do_it(world.rack.remove(place)).unwrap();
        assert_eq!(host.interrupt(), [0x50, 2]);
        assert_eq!(host.reply_to(seq), Err((2, 0xFE)), "absent, mute");
        assert!(host.power_on(0).is_err());
        world.rack.card(place).lock().set_pace("off".parse().unwrap());
        world.do_it(world.rack.insert(place)).unwrap();
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3], "the guess was not carried out");
        // A fault that pulls it out after the comparison.
        world.rack.card(place).lock().arm("remove-after,ins=20".parse().unwrap()).unwrap();
        let seq = host.begin(0, WRONG);
        assert_eq!(host.reply_to(seq), Err((2, 0xFE)));
        assert_eq!(host.interrupt(), [0x50, 2]);
        world.do_it(world.rack.insert(place)).unwrap();
        assert_eq!(host.interrupt(), [0x50, 3]);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC2]);
        host.transmit(0, RIGHT);
    }
}

#[test]
fn a_reader_that_is_unplugged_is_a_device_that_is_unplugged() {
    let world = World2::new();
    let place = world.places[0];
    let mut redir = world.guest(Wire::Redir, 0);
    redir.power_on(0).unwrap();
    let change = |plug: bool| {
        let _inside = world.runtime.enter();
        if plug { world.rack.plug(place) } else { world.rack.unplug(place) }.unwrap();
    };
    change(false);
    redir.is_pulled_out();
    assert_eq!(Usbip::listed(world.usbip), ["1-2", "1-3"]);
    assert!(Usbip::import(world.usbip, 1).is_none());
    change(true);
    redir.comes_back();
    redir.configure();
    assert!(redir.power_on(0).is_err(), "its card lies beside it");
    world.do_it(world.rack.insert(place)).unwrap();
    assert_eq!(redir.interrupt(), [0x50, 3]);
    redir.power_on(0).unwrap();
    drop(redir);
    let mut usbip = world.guest(Wire::Usbip, 0);
    assert_eq!(Usbip::listed(world.usbip), ["1-1", "1-2", "1-3"]);
    change(false);
    usbip.is_pulled_out();
}

#[test]
fn pins_are_typed_at_the_keypad() {
    let block = |command: &[u8]| [&[0, 30, 0x82, 8, 0, 8, 4, 2, 0, 0, 0, 0, 0, 0, 0][..], command].concat();
    let verify = block(b"\x00\x20\x00\x80\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        let pad = world.rack.pin_pad(world.places[0]).unwrap();
        pad.script("999999".parse().unwrap()).unwrap();
        assert_eq!(host.secure(0, &verify), Ok(vec![0x63, 0xC2]));
        pad.script("123456".parse().unwrap()).unwrap();
        assert_eq!(host.secure(0, &verify), Ok(vec![0x90, 0]));
        pad.script("cancel".parse().unwrap()).unwrap();
        assert_eq!(host.secure(0, &verify), Err((0, 0xEF)));
        pad.script("12".parse().unwrap()).unwrap();
        assert_eq!(host.secure(0, &verify), Ok(vec![0x64, 0x03]));
        // After an abort nobody asks any more: what is typed is for the next.
        host.begin_secure(0, &verify);
        host.abort(0);
        pad.script("123456".parse().unwrap()).unwrap();
        assert_eq!(host.secure(0, &verify), Ok(vec![0x90, 0]));
    }
}

#[test]
fn what_a_host_takes_back_is_not_answered() {
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        let waiting = host.bus.ask(INTERRUPT_IN, 8);
        assert_eq!(host.bus.wait(waiting), Some(vec![0x50, 3]));
        let taken = host.bus.ask(0x82, 100);
        host.bus.take_back(taken);
        host.power_on(0).unwrap();
        assert!(host.transmit(0, SELECT).ends_with(&[0x90, 0]), "{wire:?}");
    }
}
