//! RSA keys of two primes with the exponent 65,537 (SP 800-78-5 section 3.1).

use super::CryptoError;
use crate::random::Random;
use ::rsa::traits::{PrivateKeyParts, PublicKeyParts};
use ::rsa::{BoxedUint, PrivateKey};
use zeroize::Zeroizing;

/// The public exponent of every PIV key.
pub const EXPONENT: [u8; 3] = [1, 0, 1];

/// An RSA key pair. Has no `Debug`: it is a secret.
#[derive(Clone)]
pub struct RsaKey {
    inner: PrivateKey,
    size: usize,
}

impl RsaKey {
    /// A new key of `bits` bits.
    ///
    /// # Errors
    /// [`CryptoError::Key`] for a size that RSA cannot have.
    pub fn generate(bits: usize, random: &mut Random) -> Result<Self, CryptoError> {
        let inner = PrivateKey::new(random.rng(), bits).map_err(|_| CryptoError::Key)?;
        Ok(Self { inner, size: bits / 8 })
    }

    /// The key of two primes, big-endian, for a modulus of `size` bytes.
    ///
    /// # Errors
    /// [`CryptoError::Key`] when they are not two different odd numbers whose product has that
    /// size, or 65,537 has no inverse.
    pub fn from_primes(p: &[u8], q: &[u8], size: usize) -> Result<Self, CryptoError> {
        let bits = (size * 4) as u32;
        let number = |bytes: &[u8]| {
            let start = bytes.iter().take_while(|b| **b == 0).count();
            BoxedUint::from_be_slice(&bytes[start..], bits).map_err(|_| CryptoError::Key)
        };
        let inner = PrivateKey::from_p_q(number(p)?, number(q)?, BoxedUint::from(65_537u64)).map_err(|_| CryptoError::Key)?;
        let key = Self { inner, size };
        if key.inner.n().as_ref().bit_width() as usize == size * 8 { Ok(key) } else { Err(CryptoError::Key) }
    }

    /// Modulus length in bytes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The modulus, [`Self::size`] bytes.
    #[must_use]
    pub fn modulus(&self) -> Vec<u8> {
        fit(self.inner.n().as_ref(), self.size).to_vec()
    }

    /// The private exponent, [`Self::size`] bytes.
    #[must_use]
    pub fn private_exponent(&self) -> Zeroizing<Vec<u8>> {
        fit(self.inner.d(), self.size)
    }

    /// The two primes, each half the modulus' length.
    #[must_use]
    pub fn primes(&self) -> [Zeroizing<Vec<u8>>; 2] {
        let primes = self.inner.primes();
        [fit(primes[0].as_ref(), self.size / 2), fit(primes[1].as_ref(), self.size / 2)]
    }

    /// d mod (p-1), d mod (q-1) and q^-1 mod p, each half the modulus' length.
    #[must_use]
    pub fn crt(&self) -> Option<[Zeroizing<Vec<u8>>; 3]> {
        let half = self.size / 2;
        Some([fit(self.inner.dp()?, half), fit(self.inner.dq()?, half), fit(&self.inner.qinv()?.retrieve(), half)])
    }

    /// The raw private operation, `block ^ d mod n`, checked against the public one.
    ///
    /// # Errors
    /// [`CryptoError::Input`] when `block` is not [`Self::size`] bytes or not below the modulus.
    pub fn private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if block.len() != self.size {
            return Err(CryptoError::Input);
        }
        if is_fixed(block, &self.modulus()) {
            return Ok(Zeroizing::new(block.to_vec()));
        }
        let precision = self.inner.n().as_ref().bits_precision();
        let number = BoxedUint::from_be_slice(block, precision).map_err(|_| CryptoError::Input)?;
        let result = ::rsa::hazmat::rsa_decrypt_and_check(&self.inner, None::<&mut rand_chacha::ChaCha20Rng>, &number);
        Ok(fit(&result.map_err(|_| CryptoError::Input)?, self.size))
    }
}

/// Whether `block` is 0, 1 or `modulus` - 1, all of one length: its own power under every odd exponent, and so under
/// the private one. In range by RFC 8017 section 5.1.2, but libraries refuse them, as SP 800-56B tells them to.
#[must_use]
pub fn is_fixed(block: &[u8], modulus: &[u8]) -> bool {
    let (Some((last, rest)), Some((odd, high))) = (block.split_last(), modulus.split_last()) else { return false };
    *last <= 1 && rest.iter().all(|byte| *byte == 0) || rest == high && *last == odd & 0xFE
}

/// Big-endian bytes of a number that fits `size` bytes, padded on the left.
fn fit(number: &BoxedUint, size: usize) -> Zeroizing<Vec<u8>> {
    let bytes = Zeroizing::new(number.to_be_bytes());
    let mut out = Zeroizing::new(vec![0; size]);
    let take = bytes.len().min(size);
    out[size - take..].copy_from_slice(&bytes[bytes.len() - take..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_make_the_key_again() {
        let key = RsaKey::generate(1024, &mut Random::from_number(1, 0)).unwrap();
        let [p, q] = key.primes();
        assert_eq!((p.len(), q.len()), (64, 64));
        let again = RsaKey::from_primes(&p, &q, 128).unwrap();
        let mut block = vec![0x11; 128];
        block[0] = 0;
        assert_eq!(again.modulus(), key.modulus());
        assert_eq!(*key.private_exponent(), *fit(key.inner.d(), 128));
        assert_eq!(*again.private(&block).unwrap(), *key.private(&block).unwrap());
        assert!(key.private(&[0xFF; 128]).is_err(), "not below the modulus");
        assert!(key.private(&block[1..]).is_err());
        assert!(RsaKey::from_primes(&p, &p[..10], 128).is_err());
    }
}
