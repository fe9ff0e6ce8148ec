//! Values and quirks: the sections of a profile's file, one structure each.
//!
//! A field is a value that real cards differ in; its name in the file is the same with hyphens. Each
//! has a line under `[sources]`.

use super::form;
use crate::crypto::asymmetric::Algorithm;
use cardlab_protocol::admin_key::Cipher;
use cardlab_protocol::status::StatusWord;
use serde::Deserialize;

/// The card below its applications.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CardRules {
    /// Answer to reset.
    #[serde(deserialize_with = "form::hex_bytes")]
    pub atr: Vec<u8>,
    /// Reader name without its ` RR SS` ending.
    pub reader: String,
    /// Whether extended lengths are understood; otherwise 6700.
    pub extended_length: bool,
    /// Instructions that may be chained; empty means all.
    pub chained: Vec<u8>,
    /// SW2 of 61xx when 256 bytes or more are left.
    pub many_left: u8,
    /// GET RESPONSE when nothing waits to be fetched.
    pub nothing_pending: StatusWord,
    /// Longest joined command data in bytes; more is 6700.
    pub buffer: usize,
    /// Whether PIV is selected after a reset without a SELECT.
    pub piv_is_default: bool,
}

/// Which bytes a PIN may have. PIV pads it with FF to eight bytes, GIDS does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinFormat {
    /// ASCII digits.
    Digits,
    /// Bytes of any kind; on a PIV card not FF.
    Any,
}

/// What a malformed PIN is answered with, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// 6A80 (GIDS: 6700), nothing is spent.
    Refused,
    /// 63Cx with the tries left, nothing is spent.
    NotCounted,
    /// It is compared like any other and costs a try.
    Counted,
}

/// PIN of the application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PinRules {
    /// Factory value.
    pub value: String,
    /// Factory tries.
    pub tries: u8,
    /// The most tries this card can be given.
    pub max_tries: u8,
    /// Whether the administrator key sets how many wrong values block it (PUT DATA of 7F71).
    pub tries_writable: bool,
    /// Allowed bytes.
    pub format: PinFormat,
    /// Fewest bytes, padding not counted.
    pub min_length: usize,
    /// Most bytes.
    pub max_length: usize,
    /// A malformed value in VERIFY or as the old value.
    pub malformed: Malformed,
    /// Answer to a malformed new value.
    pub malformed_new: StatusWord,
    /// Answer to the wrong value that spends the last try.
    pub last_wrong: StatusWord,
    /// Answer to the status query when blocked.
    pub blocked_query: StatusWord,
    /// Whether VERIFY with P1=FF forgets the verification.
    pub can_forget: bool,
    /// Whether repeated single characters and well-known values are refused as new PIN or PUK.
    pub complexity: bool,
    /// Those values.
    pub common: Vec<String>,
    /// Whether the old value (RESET RETRY COUNTER: the PUK) is compared before the new one is judged.
    pub old_first: bool,
}

impl PinRules {
    /// Whether a malformed value costs a try like any other.
    pub(crate) fn counts_malformed(&self) -> bool {
        self.malformed == Malformed::Counted
    }

    /// Whether a PIN may have `length` bytes.
    pub(crate) fn has_length(&self, length: usize) -> bool {
        (self.min_length..=self.max_length).contains(&length)
    }

    /// Whether `text`, without padding, has the form of a PIN.
    pub(crate) fn is_well_formed(&self, text: &[u8]) -> bool {
        self.has_length(text.len()) && (self.format == PinFormat::Any || text.iter().all(u8::is_ascii_digit))
    }
}

/// PIN Unblocking Key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PukRules {
    /// Factory value, at most 8 bytes.
    pub value: String,
    /// Factory tries.
    pub tries: u8,
    /// Fewest bytes before the FF padding.
    pub min_length: usize,
    /// Largest byte allowed.
    pub max_byte: u8,
    /// Whether RESET RETRY COUNTER keeps a verified PIN verified.
    pub unblock_keeps_pin: bool,
    /// Whether a wrong PUK in RESET RETRY COUNTER takes the PIN's verification away.
    pub wrong_clears_pin: bool,
}

/// Administrator key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagementKeyRules {
    /// Factory algorithm.
    #[serde(deserialize_with = "form::cipher")]
    pub algorithm: Cipher,
    /// Factory key.
    #[serde(deserialize_with = "form::hex_bytes")]
    pub value: Vec<u8>,
    /// Algorithms it may have.
    #[serde(deserialize_with = "form::ciphers")]
    pub algorithms: Vec<Cipher>,
    /// Answer to a wrong response that costs nothing.
    pub wrong_response: StatusWord,
    /// Wrong responses that block the key for good; 0 when they cost nothing.
    pub tries: u8,
}

/// What tag 4F of the application property template holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemplateAid {
    /// The whole AID.
    Full,
    /// The AID without the RID.
    Pix,
}

/// What is left of an object after PUT DATA with an empty value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyObject {
    /// Reading it answers `53 00`.
    Empty,
    /// Reading it answers 6A82.
    Absent,
}

/// How long one VERIFY serves a key that wants the PIN always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinAlways {
    /// Only for the very next command.
    NextCommand,
    /// Until a key with that policy is used.
    UntilUsed,
}

/// What GET DATA looks at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Whether the object is there: 6A82 for one that is not, whatever its rule.
    Existence,
    /// Its rule: 6982 without the PIN, whether the object is there or not.
    Rule,
}

/// The PIV card edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PivRules {
    /// Shortest AID prefix that selects the application.
    pub aid_prefix: usize,
    /// Tag 4F of the application property template.
    pub template_aid: TemplateAid,
    /// Tag 50 of the application property template; empty for none.
    pub label: String,
    /// Algorithms that tag AC of the application property template names, beside the cipher suite of secure messaging.
    #[serde(deserialize_with = "form::algorithms")]
    pub lists: Vec<Algorithm>,
    /// Whether selecting PIV again keeps the security status.
    pub reselect_keeps: bool,
    /// GENERAL AUTHENTICATE on a slot without a key.
    pub empty_slot: StatusWord,
    /// GENERAL AUTHENTICATE with another algorithm than the key's.
    pub wrong_algorithm: StatusWord,
    /// CHANGE REFERENCE DATA with another P1 than 00.
    pub change_p1: StatusWord,
    /// Objects that PUT DATA has emptied.
    pub empty_object: EmptyObject,
    /// Whether PUT DATA stores tags that SP 800-73 does not name (5F0000 to 5FFFFF).
    pub vendor_objects: bool,
    /// Data objects that are read with the PIN only.
    #[serde(deserialize_with = "form::tags")]
    pub pin_objects: Vec<u32>,
    /// What GET DATA looks at first.
    pub looks_first: Order,
    /// Longest value of a data object in bytes.
    pub max_object: usize,
    /// Most bytes of all data objects together.
    pub memory: usize,
    /// Algorithms that keys may have.
    #[serde(deserialize_with = "form::algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Whether retired key slots can be generated.
    pub generate_retired: bool,
    /// How long a VERIFY serves a PIN-always key.
    pub pin_always: PinAlways,
    /// Whether the contactless interface is restricted as SP 800-73 says.
    pub contactless_rules: bool,
    /// Tries of PIN and Global PIN that the virtual contact interface leaves to the contacts (the issuer's intermediate
    /// retry value).
    pub kept_tries: u8,
    /// Whether the card comes with CHUID and CCC.
    pub personalised: bool,
    /// Whether whoever puts retired keys on it writes a Key History Object.
    pub key_history: bool,
    /// Whether RESET RETRY COUNTER with P1=02 sets a new PIN after the administrator key, as on a
    /// GIDS card: what tokens under a card management system offer beside the PUK.
    pub admin_unblock: bool,
}

/// The GIDS card edge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GidsRules {
    /// Version of the application in its AID, 1 or 2.
    pub version: u8,
    /// Whether the card comes initialised: file system, PIN, administrator key, card id. Otherwise
    /// it is in the creation state.
    pub initialised: bool,
    /// Algorithms that keys may have.
    #[serde(deserialize_with = "form::algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Whether mutual authentication is offered beside external.
    pub mutual: bool,
    /// Most bytes of data objects and keys together.
    pub memory: usize,
    /// Whether a file that was created without access rules (tag 8C) is open to everybody; else it is to nobody.
    pub open_without_rules: bool,
    /// The card's name in EF.ATR (tag 46, pre-issuing data).
    pub product: String,
}

impl YubiKeyRules {
    /// Whether this firmware has the secure channels of [`crate::scp`].
    pub(crate) fn has_channels(&self) -> bool {
        self.version >= [5, 7, 2]
    }
}

/// YubiKey's additions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct YubiKeyRules {
    /// Firmware version.
    pub version: [u8; 3],
    /// GET SERIAL (F8) exists.
    pub serial: bool,
    /// ATTEST (F9) exists.
    pub attestation: bool,
    /// Whether the certificate of the attestation key says that it is an authority's (basicConstraints).
    pub attestation_ca: bool,
    /// GET METADATA (F7) exists.
    pub metadata: bool,
    /// MOVE KEY and DELETE KEY (F6) exist.
    pub move_key: bool,
    /// Applications that it tells of, as bits of READ CONFIG's tag 01.
    pub applications: u16,
    /// Form factor of the attestation certificate and the device information.
    pub form_factor: u8,
    /// ATTEST on a key that was imported.
    pub attest_imported: StatusWord,
    /// Algorithm of the attestation key (F9) that comes with the card.
    #[serde(deserialize_with = "form::algorithm")]
    pub attestation_key: Algorithm,
}
