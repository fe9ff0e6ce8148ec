//! `cardlab response`: what an operator's console computes.

use crate::exit::{Exit, Failure};
use anyhow::{Context as _, anyhow};
use cardlab_protocol::admin_key::{AdminKey, Cipher};
use cardlab_protocol::codes::{CodeError, check_code, digits, grouped, parse_challenge};
use cardlab_server_stub::model::keys::{CardIdentity, MasterKey};
use cardlab_whole as whole;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Args)]
#[command(after_help = "Examples:\n  cardlab response --key-file admin.key 1122334455667788\n  \
                        cardlab response --master-file master.key --serial 0123456789ABCDEF0011223344556677 --show-key")]
pub(crate) struct Response {
    /// Challenge data as the card's holder reads them: spaces, dashes and lower case do not matter
    #[arg(required_unless_present = "show_key")]
    challenge: Vec<String>,

    #[command(flatten)]
    source: Source,

    #[command(flatten)]
    card: CardOptions,

    /// The cipher, where the lengths do not tell
    #[arg(long, value_enum)]
    cipher: Option<CipherName>,

    /// Print the key and its check value instead, for putting it on a card
    #[arg(long, conflicts_with = "challenge")]
    show_key: bool,

    /// For programs
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The card's administrator key, hexadecimal
    #[arg(long, value_name = "HEX")]
    key: Option<String>,

    /// File with the key in hexadecimal; - is stdin
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Master key that the card's key is derived from, hexadecimal
    #[arg(long, value_name = "HEX", requires = "serial")]
    master: Option<String>,

    /// File with the master key in hexadecimal; - is stdin
    #[arg(long, value_name = "FILE", requires = "serial")]
    master_file: Option<PathBuf>,
}

#[derive(Args)]
struct CardOptions {
    /// With a master key: what the card says it is (card id, card UUID), hexadecimal
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,

    /// With a master key: the card type's name
    #[arg(long, value_name = "NAME", default_value = "gids-sim")]
    card_type: String,

    /// With a master key: which key of this card, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    key_version: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CipherName {
    #[value(name = "3des")]
    Tdes,
    Aes128,
    Aes192,
    Aes256,
}

impl From<CipherName> for Cipher {
    fn from(name: CipherName) -> Self {
        match name {
            CipherName::Tdes => Self::Tdes,
            CipherName::Aes128 => Self::Aes128,
            CipherName::Aes192 => Self::Aes192,
            CipherName::Aes256 => Self::Aes256,
        }
    }
}

impl Response {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.show_key {
            let key = self.key(None)?;
            let (bytes, check) = (Zeroizing::new(digits(key.as_bytes())), digits(&key.check_value()));
            if self.json {
                println!("{}", json!({"cipher": key.cipher().name(), "key": *bytes, "check_value": check}));
            } else {
                println!("key          {}\ncheck value  {check}", *bytes);
            }
            return Ok(Exit::FINE);
        }
        let challenge = parse_challenge(&self.challenge.concat(), &self.challenge_lengths()).map_err(challenge_error)?;
        let key = self.key(Some(challenge.len()))?;
        let response = key.respond(&challenge)?;
        if self.json {
            let value =
                json!({"response": digits(&response), "check": check_code(&response), "challenge_check": check_code(&challenge)});
            println!("{value}");
        } else {
            // What a person compares goes where a script does not read.
            eprintln!(
                "challenge {}, check code {}; check code of the response {}:",
                grouped(&challenge),
                check_code(&challenge),
                check_code(&response)
            );
            println!("{}", grouped(&response));
        }
        Ok(Exit::FINE)
    }

    fn challenge_lengths(&self) -> Vec<usize> {
        self.cipher.map_or_else(|| vec![8, 16], |c| vec![Cipher::from(c).block_len()])
    }

    /// The card's key. `challenge` is the challenge's length in bytes.
    fn key(&self, challenge: Option<usize>) -> Result<AdminKey, Failure> {
        let chosen = self.cipher.map(Cipher::from);
        if let Some(master) = secret("--master", self.source.master.as_deref(), self.source.master_file.as_deref())? {
            let serial = self.card.serial.as_deref().unwrap_or_default();
            let serial = hex::decode(serial).with_context(|| format!("--serial {serial}: hexadecimal digits in pairs"))?;
            let by_length = if challenge == Some(16) { Cipher::Aes256 } else { Cipher::Tdes };
            let card = CardIdentity { card_type: &self.card.card_type, serial: &serial, key_version: self.card.key_version };
            return Ok(MasterKey::new(&master)?.derive(chosen.unwrap_or(by_length), card));
        }
        let key = secret("--key", self.source.key.as_deref(), self.source.key_file.as_deref())?.unwrap_or_default();
        let cipher = chosen.or_else(|| Cipher::of_lengths(key.len(), challenge.unwrap_or(if key.len() == 24 { 8 } else { 16 })));
        let cipher = cipher.ok_or_else(|| {
            let characters = challenge.unwrap_or(8) * 2;
            anyhow!("a key of {} bytes does not answer challenges of {characters} characters: 3DES keys have 24 bytes and 16 characters, AES keys 16, 24 or 32 bytes and 32 characters", key.len())
        })?;
        Ok(AdminKey::new(cipher, &key)?)
    }
}

fn challenge_error(error: CodeError) -> Failure {
    anyhow!("challenge: {error}").into()
}

/// Bytes from the command line, a file or stdin, all in hexadecimal.
fn secret(option: &str, text: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
    let (from, text) = match (text, file) {
        (Some(text), _) => {
            eprintln!("cardlab: warning: other users see {option} in the list of processes; {option}-file keeps it from them");
            (option.to_owned(), Zeroizing::new(text.to_owned()))
        }
        (None, Some(path)) if path.as_os_str() == "-" => {
            ("stdin".to_owned(), Zeroizing::new(whole::read_text_from(std::io::stdin(), whole::TEXT).context("stdin")?))
        }
        (None, Some(path)) => {
            let from = path.display().to_string();
            let text = whole::read_text(path, whole::TEXT).with_context(|| from.clone())?;
            (from, Zeroizing::new(text))
        }
        (None, None) => return Ok(None),
    };
    // Of its full size from the beginning: what grows leaves a copy behind.
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    digits.extend(text.chars().filter(|c| !c.is_whitespace() && *c != ':' && *c != '-'));
    let bytes = hex::decode(digits.as_bytes()).map_err(|_| anyhow!("{from}: a key is an even number of hexadecimal digits"))?;
    if bytes.is_empty() {
        return Err(anyhow!("{from}: there is nothing in it; a key is an even number of hexadecimal digits"));
    }
    Ok(Some(Zeroizing::new(bytes)))
}
