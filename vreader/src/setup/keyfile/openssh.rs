//! Private keys of OpenSSH (`openssh-key-v1`, OpenSSH's PROTOCOL.key).

use super::Fault;
use super::password::Password;
use super::pbe::Budget;
use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair, PublicKey};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::crypto::encoded::EncodedError;
use ssh_key::private::{EcdsaKeypair, KeypairData, PrivateKey};
use ssh_key::{Kdf, Mpint};

/// The key in the contents of an `OPENSSH PRIVATE KEY` block.
///
/// # Errors
/// [`Fault`].
pub(super) fn open(contents: &[u8], password: Option<&Password>, budget: &Budget) -> Result<KeyPair, Fault> {
    let mut key = PrivateKey::from_bytes(contents).map_err(|_| Fault::Structure)?;
    if key.is_encrypted() {
        let password = password.ok_or(Fault::NoPassword)?;
        if let Kdf::Bcrypt { rounds, .. } = key.kdf() {
            budget.spend_bcrypt(*rounds)?;
        }
        key = key.decrypt(password.utf8()).map_err(|_| Fault::WrongPassword)?;
    }
    pair(key.key_data())
}

fn pair(data: &KeypairData) -> Result<KeyPair, Fault> {
    // Both halves stand there; a file whose halves differ is damaged.
    let made = |algorithm, parts: &[&[u8]], public: PublicKey| match KeyPair::from_parts(algorithm, parts) {
        Ok(pair) if pair.public().is_ok_and(|own| own == public) => Ok(pair),
        _ => Err(EncodedError::Damaged.into()),
    };
    match data {
        KeypairData::Ed25519(pair) => made(Algorithm::Ed25519, &[&pair.private.to_bytes()], PublicKey::Ed25519(pair.public.0)),
        KeypairData::Ecdsa(pair) => {
            let curve = match pair {
                EcdsaKeypair::NistP256 { .. } => Curve::P256,
                EcdsaKeypair::NistP384 { .. } => Curve::P384,
                EcdsaKeypair::NistP521 { .. } => Curve::P521,
            };
            made(Algorithm::Ec(curve), &[pair.private_key_bytes()], PublicKey::Ec(curve, pair.public_key_bytes().to_vec()))
        }
        KeypairData::Rsa(pair) => {
            let bits = pair.key_size();
            let of_bits = |a: &Algorithm| matches!(a, Algorithm::Rsa(known) if u32::from(*known) == bits);
            let algorithm = Algorithm::ALL.iter().map(|row| row.0).find(of_bits);
            let algorithm = algorithm.ok_or_else(|| EncodedError::Other(format!("an RSA key of {bits} bits")))?;
            let number = |number: &Mpint| number.as_positive_bytes().unwrap_or_default().to_vec();
            if number(pair.public().e()) != cardlab_sim::crypto::rsa::EXPONENT {
                return Err(EncodedError::Other("an RSA key with another public exponent".into()).into());
            }
            let parts = [pair.private().p(), pair.private().q()].map(|prime| zeroize::Zeroizing::new(number(prime)));
            made(algorithm, &[&parts[0], &parts[1]], PublicKey::Rsa(number(pair.public().n())))
        }
        KeypairData::SkEcdsaSha2NistP256(_) | KeypairData::SkEd25519(_) => {
            Err(EncodedError::Other("a handle for a key in a FIDO authenticator, without the key".into()).into())
        }
        other => {
            let kind = other.algorithm().map_or_else(|_| "another kind".into(), |algorithm| algorithm.to_string());
            Err(EncodedError::Other(format!("a key for {kind}")).into())
        }
    }
}
