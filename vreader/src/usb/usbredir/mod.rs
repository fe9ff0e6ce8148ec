//! usbredir: the device in a QEMU, libvirt or SPICE guest. We are the side that the protocol calls usb-host.
//!
//! ```text
//! qemu-system-x86_64 .. -device qemu-xhci -chardev socket,id=card,path=SOCKET,reconnect=1 -device usb-redir,chardev=card
//! ```
//! [`wire`] has the packets, [`Redir`] is a connection without I/O, [`serve`] a socket's connections one after the other.

pub mod wire;

use super::ccid::Function;
use super::descriptor::{BULK_IN, BULK_OUT, CLASS, INTERRUPT_IN, RELEASE, Speed};
use super::session::{self, Fault, MOST_WAITING, SessionError, Wire};
use super::{Device, Identity};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::UnixListener;
use wire::{Both, ENDPOINTS, Endpoint, Framed, Packet, capability, place, read, status};

/// What this side can.
const CAPABILITIES: u32 = capability::CONNECT_DEVICE_VERSION
    | capability::DEVICE_DISCONNECT_ACK
    | capability::EP_INFO_MAX_PACKET_SIZE
    | capability::IDS_64BITS
    | capability::BULK_LENGTH_32BITS;
/// After a failed accept: out of descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves guests that connect, one at a time: a second is told off. `ended` hears why connections were ended from here.
pub async fn serve(listener: UnixListener, device: Device, ended: impl Fn(&SessionError) + Clone + Send + 'static) -> Infallible {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Some(mut attachment) = device.attach() else {
            ended(&SessionError::Taken);
            continue;
        };
        let ended = ended.clone();
        tokio::spawn(async move {
            if let Err(error) = session::run(&mut stream, &mut Redir::default(), &mut attachment).await {
                ended(&error);
            }
        });
    }
}

/// Whether the guest has the device plugged in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Plug {
    #[default]
    Out,
    In,
    /// It was told that the device is out, and has not acknowledged it.
    Leaving,
}

/// A guest's connection.
#[derive(Default)]
pub struct Redir {
    input: Vec<u8>,
    output: Vec<u8>,
    said_hello: bool,
    /// Known once the guest has said HELLO.
    both: Option<Both>,
    plug: Plug,
    /// IN transfers that wait at the bulk endpoint: their ids and what they ask for.
    waiting: VecDeque<(u64, u32)>,
    /// The guest wants to hear of interrupts.
    receiving: bool,
    /// Numbers of interrupts.
    interrupts: u64,
}

impl Wire for Redir {
    fn receive(&mut self, bytes: &[u8], function: &mut Function) -> Result<(), Fault> {
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let mut used = 0;
        while let Some((framed, length)) = read(&input[used..], self.both.unwrap_or_default())? {
            self.packet(&framed, function)?;
            used += length;
        }
        input.drain(..used);
        self.input = input;
        Ok(())
    }

    fn advance(&mut self, function: &mut Function, plugged: bool, out: &mut Vec<u8>) -> bool {
        if !std::mem::replace(&mut self.said_hello, true) {
            self.send(0, Packet::Hello { capabilities: CAPABILITIES });
        }
        if self.both.is_some() {
            match self.plug {
                Plug::Out if plugged => self.connect(function),
                Plug::In if !plugged => self.disconnect(function),
                Plug::Out | Plug::In | Plug::Leaving => {}
            }
        }
        while let Some((id, most)) = self.waiting.front().copied()
            && let Some(data) = function.read(BULK_IN, most as usize)
        {
            self.waiting.pop_front();
            let length = data.len() as u32;
            self.send(id, Packet::Bulk { endpoint: BULK_IN, status: status::SUCCESS, length, data: &data });
        }
        while self.receiving
            && let Some(data) = function.read(INTERRUPT_IN, 8)
        {
            self.interrupts += 1;
            self.send(self.interrupts, Packet::Interrupt { endpoint: INTERRUPT_IN, status: status::SUCCESS, data: &data });
        }
        out.append(&mut self.output);
        true
    }
}

impl Redir {
    fn send(&mut self, id: u64, packet: Packet<'_>) {
        Framed { id, packet }.write(self.both.unwrap_or_default(), &mut self.output);
    }

    fn connect(&mut self, function: &mut Function) {
        self.plug = Plug::In;
        function.reset();
        let Identity { ids, speed, .. } = function.identity().clone();
        self.describe(speed);
        let speed = match speed {
            Speed::Full => 1,
            Speed::High => 2,
        };
        let (vendor, product, release) = (ids.vendor, ids.product, RELEASE);
        self.send(0, Packet::DeviceConnect { speed, class: [0; 3], vendor, product, release });
    }

    /// Interfaces and endpoints, as after every change of the configuration.
    fn describe(&mut self, speed: Speed) {
        self.send(0, Packet::InterfaceInfo(vec![[0, CLASS, 0, 0]]));
        let bulk = match speed {
            Speed::Full => 64,
            Speed::High => 512,
        };
        let mut endpoints = Box::new([Endpoint::NONE; ENDPOINTS]);
        for (address, kind, interval, packet_size) in
            [(0x00, 0, 0, 64), (0x80, 0, 0, 64), (BULK_OUT, 2, 0, bulk), (BULK_IN, 2, 0, bulk), (INTERRUPT_IN, 3, 8, 8)]
        {
            endpoints[place(address)] = Endpoint { kind, interval, packet_size };
        }
        self.send(0, Packet::EpInfo(endpoints));
    }

    fn disconnect(&mut self, function: &mut Function) {
        function.reset();
        self.forget();
        self.send(0, Packet::DeviceDisconnect);
        let acknowledges = self.both.is_some_and(|both| both.can(capability::DEVICE_DISCONNECT_ACK));
        self.plug = if acknowledges { Plug::Leaving } else { Plug::Out };
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.receiving = false;
    }

    fn packet(&mut self, framed: &Framed<'_>, function: &mut Function) -> Result<(), Fault> {
        let Framed { id, ref packet } = *framed;
        if let Packet::Hello { capabilities } = packet {
            if self.both.is_some() {
                return Err(Fault::Kind(packet.kind()));
            }
            self.both = Some(Both(capabilities & CAPABILITIES));
            return Ok(());
        }
        if self.both.is_none() {
            return Err(Fault::Kind(packet.kind()));
        }
        match *packet {
            Packet::DeviceDisconnectAck if self.plug == Plug::Leaving => self.plug = Plug::Out,
            // What was on its way when the device was unplugged.
            _ if self.plug != Plug::In => {}
            Packet::Reset => {
                function.reset();
                self.forget();
            }
            Packet::SetConfiguration(configuration) => {
                let status = if function.set_configuration(configuration) { status::SUCCESS } else { status::STALL };
                if status == status::SUCCESS {
                    self.forget();
                    self.describe(function.identity().speed);
                }
                self.send(id, Packet::ConfigurationStatus { status, configuration });
            }
            Packet::GetConfiguration => {
                let configuration = u8::from(function.is_configured());
                self.send(id, Packet::ConfigurationStatus { status: status::SUCCESS, configuration });
            }
            Packet::SetAltSetting { interface, alternate } => {
                let status = if (interface, alternate) == (0, 0) { status::SUCCESS } else { status::STALL };
                self.send(id, Packet::AltSettingStatus { status, interface, alternate });
            }
            Packet::GetAltSetting(interface) => {
                let status = if interface == 0 { status::SUCCESS } else { status::STALL };
                self.send(id, Packet::AltSettingStatus { status, interface, alternate: 0 });
            }
            Packet::StartInterruptReceiving(endpoint) => {
                let known = endpoint == INTERRUPT_IN;
                self.receiving |= known;
                let status = if known { status::SUCCESS } else { status::INVALID };
                self.send(id, Packet::InterruptReceivingStatus { status, endpoint });
            }
            Packet::StopInterruptReceiving(endpoint) => {
                self.receiving &= endpoint != INTERRUPT_IN;
                self.send(id, Packet::InterruptReceivingStatus { status: status::SUCCESS, endpoint });
            }
            Packet::CancelDataPacket => {
                if let Some(index) = self.waiting.iter().position(|(waiting, _)| *waiting == id) {
                    self.waiting.remove(index);
                    self.send(id, Packet::Bulk { endpoint: BULK_IN, status: status::CANCELLED, length: 0, data: &[] });
                }
            }
            Packet::Control { endpoint, mut setup, .. } => {
                let answer = function.control(setup);
                let status = if answer.is_ok() { status::SUCCESS } else { status::STALL };
                let data = answer.unwrap_or_default();
                setup.length = data.len() as u16;
                self.send(id, Packet::Control { endpoint, status, setup, data: &data });
            }
            Packet::Bulk { endpoint: BULK_IN, length, .. } => {
                if self.waiting.len() >= MOST_WAITING {
                    return Err(Fault::TooMany);
                }
                self.waiting.push_back((id, length));
            }
            Packet::Bulk { endpoint, data, .. } => {
                let status = if function.write(endpoint, data).is_ok() { status::SUCCESS } else { status::STALL };
                let length = if status == status::SUCCESS { data.len() as u32 } else { 0 };
                self.send(id, Packet::Bulk { endpoint, status, length, data: &[] });
            }
            Packet::Interrupt { endpoint, .. } => {
                self.send(id, Packet::Interrupt { endpoint, status: status::STALL, data: &[] });
            }
            // Filters, streams, isochronous transfers: nothing that this device has. A guest says nothing else.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
