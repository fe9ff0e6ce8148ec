//! Contents of the mandatory data objects, SP 800-73-4 part 1 section 3 and appendix A.

use super::AID;
use cardlab_protocol::tlv::Writer;

/// The Federal Agency Smart Credential Number, TIG SCEPACS section 6: 40 characters of five bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FascN {
    /// Agency code, four digits.
    pub(crate) agency: u16,
    /// System code, four digits.
    pub(crate) system: u16,
    /// Credential number, six digits.
    pub(crate) credential: u32,
    /// Credential series.
    pub(crate) series: u8,
    /// Individual credential issue.
    pub(crate) issue: u8,
    /// Person identifier, ten digits.
    pub(crate) person: u64,
    /// Organisational category.
    pub(crate) category: u8,
    /// Organisational identifier, four digits.
    pub(crate) organisation: u16,
    /// Association category.
    pub(crate) association: u8,
}

impl FascN {
    /// The 25 bytes: every character is four bits, least significant first, and odd parity. 11 is
    /// the start sentinel, 13 the field separator, 15 the end sentinel; the last character is the
    /// exclusive-or of all before it.
    #[must_use]
    pub(crate) fn to_bytes(self) -> [u8; 25] {
        let mut characters = vec![11];
        let mut number = |value: u64, digits: u32, separator: bool| {
            for place in (0..digits).rev() {
                characters.push((value / 10u64.pow(place) % 10) as u8);
            }
            if separator {
                characters.push(13);
            }
        };
        number(self.agency.into(), 4, true);
        number(self.system.into(), 4, true);
        number(self.credential.into(), 6, true);
        number(self.series.into(), 1, true);
        number(self.issue.into(), 1, true);
        number(self.person, 10, false);
        number(self.category.into(), 1, false);
        number(self.organisation.into(), 4, false);
        number(self.association.into(), 1, false);
        characters.push(15);
        characters.push(characters.iter().fold(0, |lrc, c| lrc ^ c));
        let mut out = [0; 25];
        for (index, character) in characters.iter().enumerate() {
            let parity = 1 ^ (character.count_ones() as u8 & 1);
            let bits = (0..4).map(|n| character >> n & 1).chain([parity]);
            for (offset, bit) in bits.enumerate() {
                let place = index * 5 + offset;
                out[place / 8] |= bit << (7 - place % 8);
            }
        }
        out
    }
}

/// Card Holder Unique Identifier: `30` FASC-N, `34` card UUID, `35` expiry, `3E` signature (empty),
/// `FE`.
#[must_use]
pub(crate) fn chuid(fasc_n: FascN, guid: &[u8; 16], expiry: &str) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out)
        .value(0x30, &fasc_n.to_bytes())
        .value(0x34, guid)
        .value(0x35, expiry.as_bytes())
        .value(0x3E, &[])
        .value(0xFE, &[]);
    out
}

/// Card Capability Container with the card identifier `card` (14 bytes) under GSC-RID A000000116.
#[must_use]
pub(crate) fn ccc(card: &[u8; 14]) -> Vec<u8> {
    let mut identifier = vec![0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02];
    identifier.extend_from_slice(card);
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    writer.value(0xF0, &identifier).value(0xF1, &[0x21]).value(0xF2, &[0x21]).value(0xF3, &[]).value(0xF4, &[0]);
    writer.value(0xF5, &[0x10]);
    for tag in [0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE] {
        writer.value(tag, &[]);
    }
    out
}

/// What a card has besides its PIV PIN.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// A Global PIN.
    pub(crate) global_pin: bool,
    /// The virtual contact interface.
    pub(crate) virtual_contact: bool,
    /// A pairing code, which that wants.
    pub(crate) pairing: bool,
}

/// Discovery Object: the AID and the PIN usage policy. Bits of its first byte: 40 PIV PIN, 20 Global PIN, 08 virtual
/// contact interface, 04 that without a pairing code; the second byte says which PIN is preferred where there are two.
#[must_use]
pub(crate) fn discovery(usage: Usage) -> Vec<u8> {
    let bit = |has: bool, bit: u8| if has { bit } else { 0 };
    let Usage { global_pin, virtual_contact, pairing } = usage;
    let policy = 0x40 | bit(global_pin, 0x20) | bit(virtual_contact, 0x08) | bit(virtual_contact && !pairing, 0x04);
    let mut out = Vec::new();
    Writer::new(&mut out).value(0x4F, &AID).value(0x5F2F, &[policy, bit(global_pin, 0x10)]);
    out
}

/// Key History Object: how many retired keys have their certificate on the card.
#[must_use]
pub(crate) fn key_history(on_card: u8) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out).value(0xC1, &[on_card]).value(0xC2, &[0]).value(0xFE, &[]);
    out
}

/// A certificate object: `70` the certificate, `71` whether it is compressed (bit 1), `FE`.
#[must_use]
pub(crate) fn certificate(certificate: &[u8], compressed: bool) -> Vec<u8> {
    let mut out = Vec::new();
    Writer::new(&mut out).value(0x70, certificate).value(0x71, &[u8::from(compressed)]).value(0xFE, &[]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of TIG SCEPACS section 6.
    #[test]
    fn fasc_n_known_answer() {
        let fasc_n = FascN {
            agency: 32,
            system: 1,
            credential: 92_446,
            series: 0,
            issue: 1,
            person: 1_112_223_333,
            category: 1,
            organisation: 1223,
            association: 2,
        };
        assert_eq!(hex::encode_upper(fasc_n.to_bytes()), "D0439458210C2C19A0846D83685A1082108CE73984108CA3FC");
    }

    #[test]
    fn discovery_is_the_exact_twenty_bytes() {
        let with = |global_pin, virtual_contact, pairing| discovery(Usage { global_pin, virtual_contact, pairing });
        assert_eq!(hex::encode_upper(discovery(Usage::default())), "4F0BA0000003080000100001005F2F024000");
        let policies = [with(true, false, false), with(false, true, true), with(false, true, false), with(true, true, true)];
        assert_eq!(policies.map(|object| [object[16], object[17]]), [[0x60, 0x10], [0x48, 0], [0x4C, 0], [0x68, 0x10]]);
    }
}
