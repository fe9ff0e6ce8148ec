//! Readers as USB devices, for virtual machines and other computers: the options of `up` and `lab`.

use crate::exit::Failure;
use crate::up::SocketFile;
use anyhow::{Context as _, anyhow};
use cardlab_vreader::server::{Access, listen_for};
use cardlab_vreader::usb::descriptor::MAX_SLOTS;
use cardlab_vreader::usb::session::SessionError;
use cardlab_vreader::usb::{Device, Identity, usbip, usbredir};
use cardlab_vreader::{Place, Rack};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio::net::TcpListener;

#[derive(Args, Clone)]
pub(crate) struct UsbOptions {
    /// Readers as USB devices for a QEMU, libvirt or SPICE guest, by usbredir over this Unix socket; each further card is at
    /// SOCKET.1, SOCKET.2 ..
    ///
    /// QEMU: -device qemu-xhci -chardev socket,id=card,path=SOCKET,reconnect=1 -device usb-redir,chardev=card. The guest needs no
    /// driver. docs/windows.md has libvirt, Windows and macOS.
    #[arg(long, value_name = "SOCKET")]
    usbredir: Option<PathBuf>,

    /// Readers as USB devices 1-1, 1-2 .. for other computers, by USB/IP
    ///
    /// The address is 127.0.0.1:3240 unless another is given, as IP or IP:PORT. USB/IP has no authentication: whoever reaches the port has
    /// the cards. Linux: usbip attach -r HOST -b 1-1. Windows: the same with usbip-win2.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1")]
    usbip: Option<UsbipAddress>,

    /// One USB device with a slot for each card, instead of a device for each
    #[arg(long)]
    usb_slots: bool,
}

/// Where USB/IP is served: an address, or one with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsbipAddress(SocketAddr);

impl FromStr for UsbipAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let address = bare.parse().map(|ip: IpAddr| SocketAddr::new(ip, usbip::PORT)).or_else(|_| text.parse());
        address.map(Self).map_err(|_| "write an IP address such as 127.0.0.1, or one with a port such as 127.0.0.1:3240".into())
    }
}

/// What is served, for whoever waits for it.
#[derive(Default)]
pub(crate) struct Served {
    /// `usbredir=PATH`, `usbip=ADDRESS`, each once for a socket.
    pub(crate) words: Vec<String>,
    /// Held for their `Drop`.
    _sockets: Vec<SocketFile>,
}

impl UsbOptions {
    /// Serves the readers of `rack`, in tasks of this runtime.
    pub(crate) async fn serve(&self, rack: &Rack, readers: &[(Place, Identity)]) -> Result<Served, Failure> {
        let mut served = Served::default();
        if self.usbredir.is_none() && self.usbip.is_none() {
            return if self.usb_slots { Err(anyhow!("--usb-slots needs --usbredir or --usbip").into()) } else { Ok(served) };
        }
        let devices = self.devices(rack, readers)?;
        if let Some(path) = &self.usbredir {
            let path = std::path::absolute(path)?;
            for (number, device) in devices.iter().enumerate() {
                let path = numbered(&path, number);
                let listener = listen_for(&path, Access::Owner).context("--usbredir")?;
                served.words.push(format!("usbredir={}", path.display()));
                tokio::spawn(usbredir::serve(listener, device.clone(), tell(format!("usbredir {}", path.display()))));
                served._sockets.push(SocketFile(path));
            }
        }
        if let Some(UsbipAddress(address)) = self.usbip {
            let listener = TcpListener::bind(address).await.with_context(|| format!("--usbip {address}"))?;
            let address = listener.local_addr()?;
            if !is_this_machine(address.ip()) {
                eprintln!(
                    "cardlab: warning: USB/IP has no authentication and no encryption: whoever reaches {address} has the cards. \
                     Without an address it is for this machine only; `ssh -L` brings it to others."
                );
            }
            served.words.push(format!("usbip={address}"));
            tokio::spawn(usbip::serve(listener, devices, tell("usbip".into())));
        }
        Ok(served)
    }

    fn devices(&self, rack: &Rack, readers: &[(Place, Identity)]) -> Result<Vec<Device>, Failure> {
        if !self.usb_slots {
            return Ok(readers
                .iter()
                .map(|(place, identity)| Device::new(rack.clone(), vec![*place], identity.clone()))
                .collect());
        }
        let (places, identities): (Vec<_>, Vec<_>) = readers.iter().cloned().unzip();
        let identity = Identity::joined(&identities).ok_or_else(|| {
            anyhow!("--usb-slots: a USB device has {MAX_SLOTS} slots at most, and there are {} cards", places.len())
        })?;
        Ok(vec![Device::new(rack.clone(), places, identity)])
    }
}

fn is_this_machine(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(ip.is_loopback(), |ip: Ipv4Addr| ip.is_loopback()),
        IpAddr::V4(ip) => ip.is_loopback(),
    }
}

/// The socket of the device of this number.
fn numbered(path: &Path, number: usize) -> PathBuf {
    match number {
        0 => path.to_owned(),
        number => {
            let mut path = path.as_os_str().to_owned();
            path.push(format!(".{number}"));
            path.into()
        }
    }
}

/// Says why a guest was sent away.
fn tell(wire: String) -> impl Fn(&SessionError) + Clone + Send + 'static {
    move |error| eprintln!("cardlab: {wire}: {error}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_usual_port() {
        for (text, wanted) in [
            ("127.0.0.1", "127.0.0.1:3240"),
            ("0.0.0.0:3241", "0.0.0.0:3241"),
            ("::1", "[::1]:3240"),
            ("[::1]", "[::1]:3240"),
            ("[::]:7", "[::]:7"),
        ] {
            assert_eq!(text.parse(), Ok(UsbipAddress(wanted.parse().unwrap())), "{text}");
        }
        assert!(["", "here", "127.0.0.1:", "127.0.0.1:70000"].iter().all(|text| text.parse::<UsbipAddress>().is_err()));
        let local = ["127.9.9.9", "::1", "::ffff:127.0.0.1", "::", "0.0.0.0", "10.0.0.1", "::ffff:10.0.0.1"];
        assert_eq!(local.map(|ip| is_this_machine(ip.parse().unwrap())), [true, true, true, false, false, false, false]);
    }

    #[test]
    fn sockets_are_numbered_from_the_second_on() {
        let path = Path::new("/run/card");
        assert_eq!([0, 1, 12].map(|n| numbered(path, n)), ["/run/card", "/run/card.1", "/run/card.12"].map(PathBuf::from));
    }
}
