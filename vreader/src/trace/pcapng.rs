//! Records as a pcapng capture (draft-ietf-opsawg-pcapng) that Wireshark opens with nothing to set: link type
//! 252 (upper PDU), each packet with a tag that names the dissector `iso7816` and one that says which way it
//! went. Command and answer are two packets; a comment carries the card, the number and what is no packet: what was inside
//! messages of a secure channel, where PINs and keys are shown.
//!
//! Wireshark's dissector knows short lengths only; longer commands are in the capture all the same.

use super::decode::{Masks, outcome};
use super::{Inside, Record, What, join};
use crate::contain::contained;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::{Block, PcapNgReader, PcapNgWriter};
use pcap_file::{DataLink, PcapError};
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How every pcapng file begins.
pub const MAGIC: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
/// Upper PDU, LINKTYPE_WIRESHARK_UPPER_PDU.
const LINK_TYPE: u32 = 252;
/// Tags of an exported PDU (Wireshark, epan/exported_pdu.h).
const TAG_DISSECTOR: u16 = 12;
const TAG_DIRECTION: u16 = 35;
const TAG_END: u16 = 0;
const SENT: u32 = 0;
const RECEIVED: u32 = 1;
const MASKED: &str = ", masked";
/// What was inside, in hexadecimal.
const INSIDE: &str = ", inside ";
const NO_ANSWER: &str = "no answer";
const DISSECTOR: &[u8] = b"iso7816\0";

/// Which way a packet went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToCard,
    FromCard,
}

/// A capture that is being written.
pub struct Capture(PcapNgWriter<Box<dyn Write + Send>>);

impl Capture {
    /// Writes the blocks that a capture begins with.
    ///
    /// # Errors
    /// The system's error.
    pub fn begin(out: Box<dyn Write + Send>) -> io::Result<Self> {
        let mut writer = PcapNgWriter::new(out).map_err(io_error)?;
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::from(LINK_TYPE),
            snaplen: 0,
            // Nanoseconds, as the library writes them.
            options: vec![InterfaceDescriptionOption::IfName(Cow::Borrowed("cardlab")), InterfaceDescriptionOption::IfTsResol(9)],
        };
        writer.write_pcapng_block(interface).map_err(io_error)?;
        writer.get_mut().flush()?;
        Ok(Self(writer))
    }

    /// Writes a record: two packets for an exchange, one for an answer to reset, an empty one with a comment
    /// for other events. PINs and keys are zeros unless `secrets`.
    ///
    /// # Errors
    /// The system's error.
    pub fn write(&mut self, record: &Record, secrets: bool) -> io::Result<()> {
        let Record { number, at, card, what, .. } = record;
        match what {
            What::Event { text, atr } => self.packet(*at, Way::FromCard, atr, &format!("{card} {number} = {text}"))?,
            What::Exchange { command, response, inside, continues } => {
                let masks = if secrets { Masks::NONE } else { Masks::of(command, *continues) };
                let masked = |is: bool| if is { MASKED } else { "" };
                let inside = inside.as_ref().filter(|_| secrets);
                let within = |bytes: Option<&[u8]>| {
                    bytes.map_or_else(String::new, |bytes| format!("{INSIDE}{}", hex::encode_upper(bytes)))
                };
                let comment = format!(
                    "{card} {number} > {}{}{}",
                    masks.describe(command),
                    masked(masks.hides_command(command)),
                    within(inside.map(|inside| &inside.command[..]))
                );
                self.packet(*at, Way::ToCard, &masks.zeroed_command(command), &comment)?;
                match response {
                    Some(response) => {
                        let comment = format!(
                            "{card} {number} < {}{}{}",
                            outcome(response),
                            masked(masks.hides_response(response)),
                            within(inside.map(|inside| &inside.response[..]))
                        );
                        self.packet(*at, Way::FromCard, &masks.zeroed_response(response), &comment)?;
                    }
                    None => self.packet(*at, Way::FromCard, &[], &format!("{card} {number} < {NO_ANSWER}"))?,
                }
            }
        }
        self.0.get_mut().flush()
    }

    fn packet(&mut self, at: Duration, way: Way, payload: &[u8], comment: &str) -> io::Result<()> {
        let mut data = Vec::with_capacity(payload.len() + 32);
        let mut tag = |tag: u16, value: &[u8]| {
            data.extend(tag.to_be_bytes());
            data.extend((value.len() as u16).to_be_bytes());
            data.extend(value);
        };
        tag(TAG_DISSECTOR, DISSECTOR);
        tag(TAG_DIRECTION, &if way == Way::ToCard { SENT } else { RECEIVED }.to_be_bytes());
        tag(TAG_END, &[]);
        data.extend(payload);
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: at,
            original_len: data.len() as u32,
            data: Cow::Owned(data),
            options: vec![EnhancedPacketOption::Comment(Cow::Borrowed(comment))],
        };
        self.0.write_pcapng_block(block).map(drop).map_err(io_error)
    }
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

/// Reads a capture back that [`Capture`] wrote.
///
/// # Errors
/// A sentence with the packet; masked exchanges cannot be read back.
pub fn read(bytes: &[u8]) -> Result<Vec<Record>, String> {
    let records = read_masked(bytes)?;
    if let Some((record, _)) = records.iter().find(|(_, masked)| *masked) {
        let why = "is masked: record with --trace-secrets to read it back";
        return Err(format!("exchange {} of {} {why}", record.number, record.card));
    }
    Ok(records.into_iter().map(|(record, _)| record).collect())
}

/// As [`read`], with the masked exchanges, in which zeros stand for what is masked: true beside them.
///
/// # Errors
/// A sentence with the packet.
pub(super) fn read_masked(bytes: &[u8]) -> Result<Vec<(Record, bool)>, String> {
    contained(|| records(bytes)).unwrap_or_else(|| Err("no pcapng: its blocks make no sense".into()))
}

/// A command that waits for its answer.
struct Asked {
    number: u64,
    card: Arc<str>,
    at: Duration,
    command: Zeroizing<Vec<u8>>,
    inside: Option<Zeroizing<Vec<u8>>>,
    masked: bool,
}

/// What a comment says of what was inside.
fn inside(comment: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let Some((_, digits)) = comment.rsplit_once(INSIDE) else { return Ok(None) };
    let bytes = hex::decode(digits).map_err(|_| "what was inside is not hexadecimal".to_owned())?;
    Ok(Some(Zeroizing::new(bytes)))
}

fn records(bytes: &[u8]) -> Result<Vec<(Record, bool)>, String> {
    let mut reader = PcapNgReader::new(bytes).map_err(|error| match error {
        PcapError::IncompleteBuffer | PcapError::IoError(_) => "it ends in its first block: the recording is cut off".to_owned(),
        other => format!("no pcapng: {other}"),
    })?;
    let (mut records, mut all_masked): (Vec<Record>, Vec<bool>) = (Vec::new(), Vec::new());
    let mut asked: Option<Asked> = None;
    let mut index = 0;
    while let Some(block) = reader.next_block() {
        let block = block.map_err(|error| match error {
            // Of bytes in memory nothing else can fail to be read.
            PcapError::IncompleteBuffer | PcapError::IoError(_) => {
                format!("after packet {index}: it ends in the middle: the recording is cut off here")
            }
            other => format!("after packet {index}: {other}"),
        })?;
        let Block::EnhancedPacket(packet) = block else { continue };
        index += 1;
        let wrong = |why: &str| format!("packet {index}: {why}");
        let comment = packet.options.iter().find_map(|option| match option {
            EnhancedPacketOption::Comment(comment) => Some(comment.as_ref()),
            _ => None,
        });
        let foreign = || wrong("its comment is not one of cardlab's");
        let mut words = comment.ok_or_else(foreign)?.splitn(4, ' ');
        let card: Arc<str> = words.next().ok_or_else(foreign)?.into();
        let number = words.next().and_then(|n| n.parse().ok()).ok_or_else(foreign)?;
        let sign = words.next().ok_or_else(foreign)?;
        let rest = words.next().unwrap_or_default();
        let is_masked = rest.ends_with(MASKED);
        let payload = payload(&packet.data).ok_or_else(|| wrong("its tags are cut"))?;
        let at = packet.timestamp;
        match sign {
            "=" => {
                let what = What::Event { text: rest.to_owned(), atr: payload.to_vec() };
                records.push(Record { number, at, card, took: None, program: None, what });
                all_masked.push(false);
            }
            ">" => {
                let inside = inside(rest).map_err(|why| wrong(&why))?;
                asked = Some(Asked { number, card, at, command: Zeroizing::new(payload.to_vec()), inside, masked: is_masked });
            }
            "<" => {
                let Asked { number, card, at, command, inside: within, masked } =
                    asked.take().ok_or_else(|| wrong("an answer without a command"))?;
                let response = (rest != NO_ANSWER).then(|| Zeroizing::new(payload.to_vec()));
                let answer = inside(rest).map_err(|why| wrong(&why))?;
                let inside = within.zip(answer).map(|(command, response)| Inside { command, response });
                records.push(Record {
                    number,
                    at,
                    card,
                    took: None,
                    program: None,
                    what: What::Exchange { command, response, inside, continues: false },
                });
                all_masked.push(masked || is_masked);
            }
            _ => return Err(foreign()),
        }
    }
    Ok(join(records).into_iter().zip(all_masked).collect())
}

/// What is behind the tags.
fn payload(mut data: &[u8]) -> Option<&[u8]> {
    loop {
        let (tag, rest) = data.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        data = rest.get(length..)?;
        if u16::from_be_bytes(*tag) == TAG_END {
            return Some(data);
        }
    }
}
