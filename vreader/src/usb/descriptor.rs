//! Who the device is, and its descriptors (USB 2.0 chapter 9, CCID 1.1 section 5.1).

use crate::usb::ccid::message::{HEAD, MAX_DATA};
use std::str::FromStr;
use thiserror::Error;

/// Bulk OUT.
pub const BULK_OUT: u8 = 0x01;
/// Bulk IN.
pub const BULK_IN: u8 = 0x82;
/// Interrupt IN.
pub const INTERRUPT_IN: u8 = 0x83;
/// Most slots of one device: as many as pcscd takes readers.
pub const MAX_SLOTS: usize = 16;
/// bcdDevice.
pub const RELEASE: u16 = 0x0100;
/// Smart card, the interface's class.
pub const CLASS: u8 = 0x0B;

/// The kinds of descriptors that are given.
const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
const CCID: u8 = 0x21;
/// English (United States), the language of all strings.
const LANGUAGE: u16 = 0x0409;
/// What the reader does by itself: parameters from the ATR (02), voltage (08), clock (10), data rate (20), PPS (80), activation (04);
/// the host sends whole APDUs, short and extended (40000).
const FEATURES: u32 = 0x0004_00BE;

/// Vendor and product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
}

/// Text that is no pair of ids.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is not VID:PID, two numbers of four hexadecimal digits such as 1050:0407")]
pub struct IdsError(String);

impl FromStr for Ids {
    type Err = IdsError;

    fn from_str(text: &str) -> Result<Self, IdsError> {
        let number =
            |digits: &str| u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4 && !digits.starts_with('+'));
        let ids =
            text.split_once(':').and_then(|(vendor, product)| Some(Self { vendor: number(vendor)?, product: number(product)? }));
        ids.ok_or_else(|| IdsError(text.into()))
    }
}

/// How fast the bus is. Nothing is slowed down by it; but a bus has devices of its speeds only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// 12 Mbit/s: for a UHCI or OHCI controller.
    Full,
    /// 480 Mbit/s.
    #[default]
    High,
}

impl FromStr for Speed {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "full" => Ok(Self::Full),
            "high" => Ok(Self::High),
            _ => Err(()),
        }
    }
}

/// What somebody wants of a device; the rest is as its card's profile has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Vendor and product.
    pub ids: Option<Ids>,
    /// The product string.
    pub product: Option<String>,
    /// The serial number string.
    pub serial: Option<String>,
    /// How fast it is.
    pub speed: Speed,
}

/// Whether a string descriptor can be of this text.
#[must_use]
pub fn is_string(text: &str) -> bool {
    (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// A reader of Yubico, as its own programs and libccid know it. ykman takes from the product's name what a key has.
const YUBIKEY: (Ids, &str) = (Ids { vendor: 0x1050, product: 0x0407 }, "YubiKey OTP+FIDO+CCID");
/// A virtual reader that libccid knows: pcscd takes readers by their ids, and no others.
const ANY: Ids = Ids { vendor: 0x0E0F, product: 0x0004 };

/// A device as hosts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Vendor and product.
    pub ids: Ids,
    /// The product string; Linux shows it in the reader's name.
    pub product: String,
    /// The serial number string; two devices of the same ids need different ones.
    pub serial: String,
    /// How fast it is.
    pub speed: Speed,
    /// Number of slots, 1 to [`MAX_SLOTS`].
    pub slots: u8,
    /// Whether it has a keypad for PINs.
    pub pin_pad: bool,
}

impl Identity {
    /// A device of one slot for a card of this profile and serial number, in a reader of this name.
    #[must_use]
    pub fn of(wanted: &Wanted, profile: &str, card: u32, reader: &str, pin_pad: bool) -> Self {
        let (ids, product) = if profile.starts_with("yubikey") { YUBIKEY } else { (ANY, reader) };
        Self {
            ids: wanted.ids.unwrap_or(ids),
            product: wanted.product.clone().unwrap_or_else(|| product.to_owned()),
            serial: wanted.serial.clone().unwrap_or_else(|| format!("{card:08}")),
            speed: wanted.speed,
            slots: 1,
            pin_pad,
        }
    }

    /// One device for all of these: who the first is, with a slot for each. `None` for more than [`MAX_SLOTS`], and for none.
    #[must_use]
    pub fn joined(devices: &[Self]) -> Option<Self> {
        let slots: usize = devices.iter().map(|device| usize::from(device.slots)).sum();
        let slots = u8::try_from(slots).ok().filter(|slots| usize::from(*slots) <= MAX_SLOTS)?;
        let pin_pad = devices.iter().any(|device| device.pin_pad);
        devices.first().map(|first| Self { slots, pin_pad, ..first.clone() })
    }

    /// The descriptor of this kind and index; `None` where there is none.
    #[must_use]
    pub fn descriptor(&self, kind: u8, index: u8) -> Option<Vec<u8>> {
        match (kind, index) {
            (DEVICE, 0) => Some(self.device()),
            (CONFIGURATION, 0) => Some(self.configuration()),
            (STRING, 0) => Some([&[4, STRING][..], &LANGUAGE.to_le_bytes()].concat()),
            (STRING, 1) => Some(string("cardlab")),
            (STRING, 2) => Some(string(&self.product)),
            (STRING, 3) => Some(string(&self.serial)),
            _ => None,
        }
    }

    fn device(&self) -> Vec<u8> {
        let mut descriptor = vec![18, DEVICE, 0x00, 0x02, 0, 0, 0, 64];
        for number in [self.ids.vendor, self.ids.product, RELEASE] {
            descriptor.extend(number.to_le_bytes());
        }
        // Vendor, product and serial strings; one configuration.
        descriptor.extend([1, 2, 3, 1]);
        descriptor
    }

    fn configuration(&self) -> Vec<u8> {
        // One interface of three endpoints: smart card, bulk transfers. Powered by the bus, 100 mA.
        let mut whole = vec![9, CONFIGURATION, 0, 0, 1, 1, 0, 0x80, 50];
        whole.extend([9, INTERFACE, 0, 0, 3, CLASS, 0, 0, 2]);
        whole.extend(self.ccid());
        let bulk = match self.speed {
            Speed::Full => 64_u16,
            Speed::High => 512,
        };
        let [low, high] = bulk.to_le_bytes();
        whole.extend([7, ENDPOINT, BULK_OUT, 2, low, high, 0]);
        whole.extend([7, ENDPOINT, BULK_IN, 2, low, high, 0]);
        whole.extend([7, ENDPOINT, INTERRUPT_IN, 3, 8, 0, 8]);
        let [low, high] = (whole.len() as u16).to_le_bytes();
        (whole[2], whole[3]) = (low, high);
        whole
    }

    fn ccid(&self) -> Vec<u8> {
        // CCID 1.1; 5, 3 and 1.8 V.
        let mut descriptor = vec![0x36, CCID, 0x10, 0x01, self.slots - 1, 0x07];
        let number = |descriptor: &mut Vec<u8>, number: u32| descriptor.extend(number.to_le_bytes());
        // T=0 and T=1; clock in kHz, usual and highest; one of them.
        number(&mut descriptor, 3);
        number(&mut descriptor, CLOCK);
        number(&mut descriptor, CLOCK);
        descriptor.push(0);
        // Data rate in bit/s, usual and highest; no list. Largest IFSD; no synchronous cards, nothing mechanical.
        number(&mut descriptor, DATA_RATE);
        number(&mut descriptor, 115_200);
        descriptor.push(0);
        for field in [254, 0, 0, FEATURES, (HEAD + MAX_DATA) as u32] {
            number(&mut descriptor, field);
        }
        // Class of GET RESPONSE and ENVELOPE as in the command; no display; verification (1) and modification (2).
        descriptor.extend([0xFF, 0xFF, 0, 0, if self.pin_pad { 3 } else { 0 }, self.slots]);
        descriptor
    }
}

/// Clock in kHz.
pub(crate) const CLOCK: u32 = 4000;
/// Data rate in bit/s.
pub(crate) const DATA_RATE: u32 = 9600;

fn string(text: &str) -> Vec<u8> {
    // The length is one byte.
    let units: Vec<u8> = text.encode_utf16().take(126).flat_map(u16::to_le_bytes).collect();
    [&[units.len() as u8 + 2, STRING], &units[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    fn identity() -> Identity {
        let ids = "1050:0407".parse().unwrap();
        Identity { ids, product: "Reader".into(), serial: "0001".into(), speed: Speed::High, slots: 3, pin_pad: true }
    }

    #[test]
    fn descriptors_byte_by_byte() {
        let this = identity();
        assert_eq!(this.descriptor(1, 0).unwrap(), hex!("12 01 0002 00 00 00 40 5010 0704 0001 01 02 03 01"));
        let whole = hex!(
            "09 02 5D00 01 01 00 80 32 09 04 00 00 03 0B 00 00 02"
            "36 21 1001 02 07 03000000 A00F0000 A00F0000 00 80250000 00C20100 00 FE000000 00000000 00000000 BE000400 12000100 FF FF 0000 03 03"
            "07 05 01 02 0002 00 07 05 82 02 0002 00 07 05 83 03 0800 08"
        );
        assert_eq!(this.descriptor(2, 0).unwrap(), whole);
        assert_eq!(this.descriptor(3, 0).unwrap(), hex!("04 03 09 04"));
        assert_eq!(this.descriptor(3, 3).unwrap(), hex!("0A 03 3000 3000 3000 3100"));
        for (kind, index) in [(1, 1), (2, 1), (3, 4), (3, 0xEE), (6, 0), (0x21, 0)] {
            assert_eq!(this.descriptor(kind, index), None);
        }
        let full = Identity { speed: Speed::Full, pin_pad: false, ..this }.descriptor(2, 0).unwrap();
        assert_eq!((full[70], full[76], full[77]), (0, 64, 0));
    }

    #[test]
    fn the_longest_string_has_a_length() {
        let long = Identity { product: "x".repeat(500), ..identity() }.descriptor(3, 2).unwrap();
        assert_eq!((long.len(), long[0]), (254, 254));
    }

    #[test]
    fn who_a_device_is_by_its_card_and_by_what_is_wanted() {
        let yubikey = Identity::of(&Wanted::default(), "yubikey-5.7", 42, "Yubico YubiKey CCID", false);
        assert_eq!(
            (yubikey.ids.product, &yubikey.product[..], &yubikey.serial[..]),
            (0x0407, "YubiKey OTP+FIDO+CCID", "00000042")
        );
        let wanted = Wanted { ids: Some("1209:2702".parse().unwrap()), serial: Some("A".into()), ..Wanted::default() };
        let gids = Identity::of(&wanted, "gids", 42, "cardlab GIDS", true);
        assert_eq!((gids.ids.vendor, &gids.product[..], &gids.serial[..], gids.slots), (0x1209, "cardlab GIDS", "A", 1));
        let joined = Identity::joined(&[yubikey.clone(), gids]).unwrap();
        assert_eq!(joined, Identity { slots: 2, pin_pad: true, ..yubikey.clone() });
        assert_eq!((Identity::joined(&[]), Identity::joined(&vec![yubikey; 17])), (None, None));
    }

    #[test]
    fn ids_are_four_digits_each() {
        assert_eq!("0e0F:0004".parse(), Ok(Ids { vendor: 0x0E0F, product: 4 }));
        for wrong in ["", ":", "1050", "1050:", "1050:407", "1050:04070", "105g:0407", "+105:0407", "1050:0407:1"] {
            assert!(wrong.parse::<Ids>().is_err(), "{wrong}");
        }
    }
}
