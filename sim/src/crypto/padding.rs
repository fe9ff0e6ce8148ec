//! RSA paddings that a card makes or removes itself, RFC 8017.

use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

/// EMSA-PKCS1-v1_5 (section 9.2) around a DigestInfo: `00 01 FF.. 00 input`, at least eight FF.
/// `None` when it does not fit.
#[must_use]
pub fn signature_block(input: &[u8], size: usize) -> Option<Vec<u8>> {
    let filling = size.checked_sub(input.len() + 3).filter(|n| *n >= 8)?;
    let mut block = vec![0x00, 0x01];
    block.resize(2 + filling, 0xFF);
    block.push(0x00);
    block.extend_from_slice(input);
    Some(block)
}

/// Removes EME-PKCS1-v1_5 (section 7.2.2): `00 02`, at least eight bytes that are not 00, `00`.
#[must_use]
pub fn unpad_encryption_block(block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let rest = block.strip_prefix(&[0x00, 0x02])?;
    let end = rest.iter().position(|b| *b == 0x00).filter(|n| *n >= 8)?;
    Some(Zeroizing::new(rest[end + 1..].to_vec()))
}

/// Removes EME-OAEP (section 7.1.2) with SHA-1, MGF1 and an empty label.
#[must_use]
pub fn unpad_oaep_sha1(block: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const HASH: usize = 20;
    let (&first, rest) = block.split_first()?;
    if rest.len() < 2 * HASH + 1 {
        return None;
    }
    let (seed, data) = rest.split_at(HASH);
    let seed = Zeroizing::new(mask(seed, data));
    let data = Zeroizing::new(mask(data, &seed));
    let (label, text) = data.split_at(HASH);
    let start = text.iter().position(|b| *b != 0x00)?;
    (first == 0x00 && label == Sha1::digest(b"").as_slice() && text[start] == 0x01)
        .then(|| Zeroizing::new(text[start + 1..].to_vec()))
}

/// `input` XOR MGF1-SHA1(`seed`), appendix B.2.1.
fn mask(input: &[u8], seed: &[u8]) -> Vec<u8> {
    let stream = (0u32..).flat_map(|n| Sha1::new().chain_update(seed).chain_update(n.to_be_bytes()).finalize());
    input.iter().zip(stream).map(|(a, b)| a ^ b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_form() {
        let block = signature_block(&[7; 5], 20).unwrap();
        assert_eq!(block, [&[0, 1][..], &[0xFF; 12], &[0], &[7; 5]].concat());
        assert_eq!(signature_block(&[7; 10], 20), None, "fewer than eight FF");
        let block = [&[0, 2][..], &[9; 8], &[0], b"text"].concat();
        assert_eq!(**unpad_encryption_block(&block).unwrap(), *b"text");
        assert!(unpad_encryption_block(&[&[0, 2][..], &[9; 7], &[0], b"text"].concat()).is_none());
        assert!(unpad_encryption_block(&[0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 0, 1]).is_none());
    }

    #[test]
    fn oaep_of_another_implementation_opens() {
        use ::rsa::rand_core::SeedableRng;
        use ::rsa::traits::PublicKeyParts;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let key = ::rsa::PrivateKey::new(&mut rng, 1024).unwrap();
        let public = ::rsa::PublicKey::from(&key);
        let cryptogram = public.encrypt(&mut rng, ::rsa::Oaep::<Sha1>::new(), b"secret").unwrap();
        let number = ::rsa::BoxedUint::from_be_slice(&cryptogram, key.n().as_ref().bits_precision()).unwrap();
        let block = ::rsa::hazmat::rsa_decrypt(None::<&mut rand_chacha::ChaCha20Rng>, &key, &number).unwrap();
        let block = block.to_be_bytes();
        let block = &block[block.len() - 128..];
        assert_eq!(**unpad_oaep_sha1(block).unwrap(), *b"secret");
        let mut bad = block.to_vec();
        bad[100] ^= 1;
        assert!(unpad_oaep_sha1(&bad).is_none());
        assert!(unpad_oaep_sha1(&block[..30]).is_none());
    }
}
