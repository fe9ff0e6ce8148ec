//! Elliptic-curve keys on P-256, P-384 (SP 800-78-5 section 3.1) and P-521 (GIDS): generation, ECDSA over a
//! digest, ECDH to the x-coordinate. Written once for all curves over the field's traits.

use super::CryptoError;
use crate::random::Random;
use zeroize::Zeroizing;

/// A prime curve of FIPS 186.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// Length of a scalar and of a coordinate in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// A new private scalar, big-endian.
    #[must_use]
    pub fn generate(self, random: &mut Random) -> Zeroizing<Vec<u8>> {
        loop {
            let mut scalar = Zeroizing::new(vec![0; self.size()]);
            random.fill(&mut scalar);
            if self == Self::P521 {
                // 521 bits: one in the first byte.
                scalar[0] &= 1;
            }
            if self.public(&scalar).is_ok() {
                return scalar;
            }
        }
    }

    /// The public point of a scalar, uncompressed: `04 X Y`.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when the scalar is not in 1..order-1 or of another length.
    pub fn public(self, scalar: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::P256 => p256::SecretKey::from_slice(scalar).map(|k| k.public_key().to_sec1_bytes().to_vec()),
            Self::P384 => p384::SecretKey::from_slice(scalar).map(|k| k.public_key().to_sec1_bytes().to_vec()),
            Self::P521 => p521::SecretKey::from_slice(scalar).map(|k| k.public_key().to_sec1_bytes().to_vec()),
        }
        .map_err(|_| CryptoError::Key)
    }

    /// A deterministic (RFC 6979) ECDSA signature over a digest of 1 to [`Curve::size`] bytes,
    /// taken as an integer; DER `ECDSA-Sig-Value`.
    ///
    /// # Errors
    /// [`CryptoError::Input`] for a digest of another length, [`CryptoError::Key`] for no key.
    pub fn sign(self, scalar: &[u8], digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        let digest = self.integer(digest)?;
        match self {
            Self::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).map_err(|_| CryptoError::Input)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).map_err(|_| CryptoError::Input)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P521 => {
                let key = p521::ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let signature: p521::ecdsa::Signature = key.sign_prehash(&digest).map_err(|_| CryptoError::Input)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }

    /// The x-coordinate of `scalar * point`; `point` is uncompressed.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when `point` is not an uncompressed point of the curve.
    pub fn agree(self, scalar: &[u8], point: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if point.len() != 2 * self.size() + 1 || point[0] != 4 {
            return Err(CryptoError::Input);
        }
        match self {
            Self::P256 => {
                let key = p256::SecretKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let peer = p256::PublicKey::from_sec1_bytes(point).map_err(|_| CryptoError::Input)?;
                Ok(Zeroizing::new(key.diffie_hellman(&peer).raw_secret_bytes().to_vec()))
            }
            Self::P384 => {
                let key = p384::SecretKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let peer = p384::PublicKey::from_sec1_bytes(point).map_err(|_| CryptoError::Input)?;
                Ok(Zeroizing::new(key.diffie_hellman(&peer).raw_secret_bytes().to_vec()))
            }
            Self::P521 => {
                let key = p521::SecretKey::from_slice(scalar).map_err(|_| CryptoError::Key)?;
                let peer = p521::PublicKey::from_sec1_bytes(point).map_err(|_| CryptoError::Input)?;
                Ok(Zeroizing::new(key.diffie_hellman(&peer).raw_secret_bytes().to_vec()))
            }
        }
    }

    /// A digest as an integer of [`Curve::size`] bytes.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when it is empty or longer.
    pub fn integer(self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let pad = self.size().checked_sub(digest.len()).filter(|_| !digest.is_empty()).ok_or(CryptoError::Input)?;
        let mut integer = vec![0; pad];
        integer.extend_from_slice(digest);
        Ok(integer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::hazmat::PrehashVerifier;

    #[test]
    fn signatures_verify_and_secrets_agree() {
        let mut random = Random::from_number(7, 0);
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let (a, b) = (curve.generate(&mut random), curve.generate(&mut random));
            let (pa, pb) = (curve.public(&a).unwrap(), curve.public(&b).unwrap());
            assert_eq!(*curve.agree(&a, &pb).unwrap(), *curve.agree(&b, &pa).unwrap());
            assert!(curve.agree(&a, &pb[..pb.len() - 1]).is_err());
            let mut off = pb.clone();
            off[10] ^= 1;
            assert_eq!(curve.agree(&a, &off).unwrap_err(), CryptoError::Input);
        }
        let key = Curve::P384.generate(&mut random);
        let short = [9; 32];
        let signature = Curve::P384.sign(&key, &short).unwrap();
        let public = p384::ecdsa::VerifyingKey::from_sec1_bytes(&Curve::P384.public(&key).unwrap()).unwrap();
        let padded = Curve::P384.integer(&short).unwrap();
        public.verify_prehash(&padded, &p384::ecdsa::Signature::from_der(&signature).unwrap()).unwrap();
        assert!(Curve::P256.sign(&key[..32], &[1; 33]).is_err());
    }
}
