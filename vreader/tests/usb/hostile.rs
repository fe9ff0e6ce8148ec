//! What no guest does: a clear end, and nobody else is disturbed.

use super::{SELECT, STATUS, WIRES, Wire, World2};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// Writes the bytes and reads until the other side closes.
fn closed(mut stream: impl Read + Write, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn nonsense_ends_its_own_connection() {
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 1);
        host.power_on(0).unwrap();
        host.transmit(0, SELECT);
        for nonsense in [&[0xFF; 200][..], &[0; 4096], b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            closed(UnixStream::connect(&world.redir[0]).unwrap(), nonsense);
            closed(TcpStream::connect(world.usbip).unwrap(), nonsense);
            for _ in 0..2 {
                let said = world.ended.recv().unwrap();
                let expected = said.contains("broke the protocol") || said.starts_with("another guest has the device");
                assert!(expected, "{said}");
            }
        }
        assert_eq!(host.transmit(0, STATUS), [0x63, 0xC3]);
        world.guest(wire, 0).power_on(0).unwrap();
    }
}

/// Half of something, and then nothing: when it is gone, the device is free.
#[test]
fn half_a_message_keeps_nobody() {
    let world = World2::new();
    for wire in WIRES {
        let mut redir = UnixStream::connect(&world.redir[0]).unwrap();
        redir.write_all(&[0, 0, 0, 0, 68, 0]).unwrap();
        drop(redir);
        let mut usbip = TcpStream::connect(world.usbip).unwrap();
        usbip.write_all(&[1, 0x11, 0x80]).unwrap();
        // A second host is not kept waiting by it.
        let mut host = world.guest(wire, 0);
        host.power_on(0).unwrap();
        // Half a message of the reader's: the beginning of one of 65,544 bytes.
        assert!(host.bus.write(1, &[0x6F, 0x08, 0, 1, 0, 0, 9, 0, 0, 0, 1, 2, 3]));
        drop(host);
        let mut host = world.guest(wire, 0);
        host.power_on(0).unwrap();
        assert!(host.transmit(0, SELECT).ends_with(&[0x90, 0]), "{wire:?}");
    }
}

#[test]
fn lengths_of_four_gigabytes_and_endpoints_that_do_not_exist() {
    let world = World2::new();
    for wire in WIRES {
        let mut host = world.guest(wire, 0);
        assert!(!host.bus.write(1, &[0x6F, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1, 0, 0, 0]), "stalled");
        assert!(!host.bus.write(1, &[0x65, 0, 0, 0, 0, 0, 1, 0, 0, 0]), "until it is cleared");
        assert_eq!(host.control(0x02, 1, 0, 1, 0), Some(vec![]));
        assert!(!host.bus.write(5, &[1, 2, 3]));
        assert!(host.control(0x02, 1, 0, 0x85, 0).is_none());
        host.power_on(0).unwrap();
        assert!(host.transmit(0, SELECT).ends_with(&[0x90, 0]), "{wire:?}");
    }
    let mut host = world.guest(Wire::Usbip, 0);
    let transfer = host.bus.ask(0x85, 8);
    assert_eq!(host.bus.wait(transfer), Some(vec![]), "no such endpoint");
}
