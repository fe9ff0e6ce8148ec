//! AES as secure channels use it: one block, CMAC (SP 800-38B) and CBC with padding `80 00*` (ISO/IEC 9797-1
//! method 2).

use ::aes::{Aes128, Aes192, Aes256};
use cbc::cipher::array::Array;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use cbc::{Decryptor, Encryptor};
use cmac::Cmac;
use cmac::digest::{FixedOutput, InnerInit, Update};
use zeroize::Zeroizing;

/// Length of a block, a MAC and an initial vector in bytes.
pub const BLOCK: usize = 16;

/// An AES key of 16, 24 or 32 bytes. Has no `Debug`: it is a secret, zeroised when dropped.
#[derive(Clone)]
pub struct Key(Bytes);

#[derive(Clone)]
enum Bytes {
    Short(Zeroizing<[u8; 16]>),
    Middle(Zeroizing<[u8; 24]>),
    Long(Zeroizing<[u8; 32]>),
}

impl Key {
    /// A key from its bytes; `None` for a length that AES does not have.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Some(Self(match bytes.len() {
            16 => Bytes::Short(Zeroizing::new(bytes.try_into().ok()?)),
            24 => Bytes::Middle(Zeroizing::new(bytes.try_into().ok()?)),
            32 => Bytes::Long(Zeroizing::new(bytes.try_into().ok()?)),
            _ => return None,
        }))
    }

    /// The key bytes, for a card's own memory and for putting the key on one.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short(key) => &**key,
            Bytes::Middle(key) => &**key,
            Bytes::Long(key) => &**key,
        }
    }

    /// One block under the key.
    #[must_use]
    pub fn block(&self, block: &[u8; BLOCK]) -> [u8; BLOCK] {
        self.run(|cipher| cipher.block(block))
    }

    /// The CMAC over `parts`, one behind the other; all 16 bytes.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
        self.run(|cipher| cipher.mac(parts))
    }

    /// Pads `plain` - an empty one too - and encrypts it.
    #[must_use]
    pub fn seal(&self, iv: &[u8; BLOCK], plain: &[u8]) -> Vec<u8> {
        let padded = pad(plain);
        self.run(|cipher| cipher.encrypt(iv, &padded))
    }

    /// The inverse of [`Key::seal`]; `None` for what is not whole blocks or has no such padding.
    #[must_use]
    pub fn open(&self, iv: &[u8; BLOCK], cryptogram: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = self.decrypt(iv, cryptogram)?;
        let end = plain.iter().rposition(|byte| *byte != 0).filter(|at| plain[*at] == 0x80 && at + BLOCK >= plain.len())?;
        plain.truncate(end);
        Some(plain)
    }

    /// Encrypts whole blocks without padding; `None` for others.
    #[must_use]
    pub fn encrypt(&self, iv: &[u8; BLOCK], plain: &[u8]) -> Option<Vec<u8>> {
        plain.len().is_multiple_of(BLOCK).then(|| self.run(|cipher| cipher.encrypt(iv, plain)))
    }

    /// The inverse of [`Key::encrypt`]; `None` for what is not whole blocks.
    #[must_use]
    pub fn decrypt(&self, iv: &[u8; BLOCK], cryptogram: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.run(|cipher| cipher.decrypt(iv, cryptogram)).map(Zeroizing::new)
    }

    /// The one place where a key becomes a cipher.
    fn run<T>(&self, work: impl FnOnce(&dyn Ready) -> T) -> T {
        match &self.0 {
            Bytes::Short(key) => work(&Aes128::new((&**key).into())),
            Bytes::Middle(key) => work(&Aes192::new((&**key).into())),
            Bytes::Long(key) => work(&Aes256::new((&**key).into())),
        }
    }
}

/// Data with the padding that every sealed message has: `80`, then zeros to the end of a block.
#[must_use]
pub fn pad(plain: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = (plain.len() / BLOCK + 1) * BLOCK;
    // Room for all of it at once: a vector that grows would leave copies of the data behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(length));
    padded.extend_from_slice(plain);
    padded.push(0x80);
    padded.resize(length, 0);
    padded
}

/// A cipher that has its key.
trait Ready {
    fn block(&self, block: &[u8; BLOCK]) -> [u8; BLOCK];
    fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK];
    /// `plain` is whole blocks.
    fn encrypt(&self, iv: &[u8; BLOCK], plain: &[u8]) -> Vec<u8>;
    fn decrypt(&self, iv: &[u8; BLOCK], cryptogram: &[u8]) -> Option<Vec<u8>>;
}

/// One text for the three: their traits name the same block size in several ways, which generic code cannot tell apart.
macro_rules! ready {
    ($($cipher:ty),*) => {$(
        impl Ready for $cipher {
            fn block(&self, block: &[u8; BLOCK]) -> [u8; BLOCK] {
                let mut block = Array::from(*block);
                self.encrypt_block(&mut block);
                block.into()
            }

            fn mac(&self, parts: &[&[u8]]) -> [u8; BLOCK] {
                let mut mac = Cmac::inner_init(self.clone());
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize_fixed().into()
            }

            fn encrypt(&self, iv: &[u8; BLOCK], plain: &[u8]) -> Vec<u8> {
                Encryptor::inner_iv_init(self.clone(), iv.into()).encrypt_padded_vec::<NoPadding>(plain)
            }

            fn decrypt(&self, iv: &[u8; BLOCK], cryptogram: &[u8]) -> Option<Vec<u8>> {
                Decryptor::inner_iv_init(self.clone(), iv.into()).decrypt_padded_vec::<NoPadding>(cryptogram).ok()
            }
        }
    )*};
}

ready!(Aes128, Aes192, Aes256);

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// SP 800-38B appendix D: the messages of 0, 16 and 40 bytes under AES-128 and AES-256.
    #[test]
    fn cmac_known_answers() {
        let message = hex!("6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411");
        let short = Key::new(&hex!("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
        assert_eq!(short.mac(&[]), hex!("BB1D6929E95937287FA37D129B756746"));
        assert_eq!(short.mac(&[&message[..5], &message[5..16]]), hex!("070A16B46B4D4144F79BDD9DD04A287C"));
        assert_eq!(short.mac(&[&message]), hex!("DFA66747DE9AE63030CA32611497C827"));
        let long = Key::new(&hex!("603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4")).unwrap();
        assert_eq!(long.mac(&[&message]), hex!("AAF3D8F1DE5640C232F5B169B9C911E6"));
    }

    #[test]
    fn a_key_has_a_length_of_aes() {
        for length in 0..40 {
            assert_eq!(Key::new(&vec![0; length]).is_some(), [16, 24, 32].contains(&length));
        }
    }

    #[test]
    fn padding_that_is_none_is_refused() {
        let key = Key::new(&[1; 16]).unwrap();
        for plain in [[0; 16], [1; 16], hex!("80000000000000000000000000000001")] {
            assert!(key.open(&[0; 16], &key.encrypt(&[0; 16], &plain).unwrap()).is_none(), "{plain:02X?}");
        }
        // The marker has to stand in the last block.
        let far = [&hex!("00000000000000000000000000000080")[..], &[0; 16]].concat();
        assert!(key.open(&[0; 16], &key.encrypt(&[0; 16], &far).unwrap()).is_none());
        assert!(key.open(&[0; 16], &[]).is_none() && key.open(&[0; 16], &[0; 17]).is_none());
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(length in 0..3usize, key: [u8; 32], iv: [u8; 16], plain in proptest::collection::vec(any::<u8>(), 0..100)) {
            let key = Key::new(&key[..16 + 8 * length]).unwrap();
            let sealed = key.seal(&iv, &plain);
            prop_assert_eq!(sealed.len(), (plain.len() / BLOCK + 1) * BLOCK);
            let opened = key.open(&iv, &sealed).unwrap();
            prop_assert_eq!(&opened[..], &plain[..]);
        }
    }
}
