//! RSA and EC private operations by aws-lc, for [`cardlab_sim::crypto::backend::Backend`].
//!
//! PIV's GENERAL AUTHENTICATE is a raw, unpadded RSA operation, which the safe API of `aws-lc-rs`
//! does not have; so this crate calls the C functions. It is the only crate of the project that may
//! hold `unsafe`. Every call has its reason beside it; every pointer is owned by `Owned`, which
//! frees it once.

use aws_lc_sys as ffi;
use cardlab_sim::crypto::CryptoError;
use cardlab_sim::crypto::backend::{Backend, EcPrivate, RsaPrivate};
use cardlab_sim::crypto::ec::Curve;
use cardlab_sim::crypto::rsa::{EXPONENT, RsaKey, is_fixed};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;
use zeroize::Zeroizing;

/// aws-lc behind the backend trait.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl Backend for AwsLc {
    fn rsa(&self, key: &RsaKey) -> Result<Box<dyn RsaPrivate>, CryptoError> {
        Ok(Box::new(Rsa::new(key)?))
    }

    fn ec(&self, curve: Curve, scalar: &[u8]) -> Result<Box<dyn EcPrivate>, CryptoError> {
        Ok(Box::new(Ec::new(curve, scalar)?))
    }

    fn rsa_time(&self, bits: u16) -> Duration {
        Duration::from_micros(match bits {
            0..=1024 => 70,
            1025..=2048 => 240,
            2049..=3072 => 600,
            _ => 1_400,
        })
    }

    fn ec_time(&self, curve: Curve) -> Duration {
        Duration::from_micros(match curve {
            Curve::P256 => 12,
            Curve::P384 => 65,
            Curve::P521 => 120,
        })
    }
}

/// A pointer of aws-lc that is freed when dropped.
struct Owned<T> {
    pointer: NonNull<T>,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// Takes what an aws-lc constructor gave; null means that it refused its input.
    fn new(pointer: *mut T, free: unsafe extern "C" fn(*mut T)) -> Result<Self, CryptoError> {
        NonNull::new(pointer).map(|pointer| Self { pointer, free }).ok_or(CryptoError::Key)
    }

    const fn get(&self) -> *mut T {
        self.pointer.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the constructor that belongs to `free`, is not null and is
        // freed nowhere else.
        unsafe { (self.free)(self.pointer.as_ptr()) }
    }
}

// SAFETY: aws-lc objects have no thread affinity; `&self` methods here only pass them to functions
// that aws-lc documents as safe for concurrent use on one key.
unsafe impl<T> Send for Owned<T> {}

fn number(bytes: &[u8]) -> Result<Owned<ffi::BIGNUM>, CryptoError> {
    // SAFETY: pointer and length describe a live slice; null asks for a new BIGNUM.
    let pointer = unsafe { ffi::BN_bin2bn(bytes.as_ptr(), bytes.len(), null_mut()) };
    Owned::new(pointer, ffi::BN_clear_free)
}

struct Rsa {
    key: Owned<ffi::RSA>,
    modulus: Vec<u8>,
}

impl Rsa {
    fn new(key: &RsaKey) -> Result<Self, CryptoError> {
        let [p, q] = key.primes();
        let [dp, dq, qinv] = key.crt().ok_or(CryptoError::Key)?;
        let modulus = key.modulus();
        let (n, e, d) = (number(&modulus)?, number(&EXPONENT)?, number(&key.private_exponent())?);
        let (p, q, dp, dq, qinv) = (number(&p)?, number(&q)?, number(&dp)?, number(&dq)?, number(&qinv)?);
        // SAFETY: eight live BIGNUMs; the function copies them and checks that they agree.
        let pointer =
            unsafe { ffi::RSA_new_private_key(n.get(), e.get(), d.get(), p.get(), q.get(), dp.get(), dq.get(), qinv.get()) };
        Ok(Self { key: Owned::new(pointer, ffi::RSA_free)?, modulus })
    }
}

impl RsaPrivate for Rsa {
    fn private(&self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if block.len() != self.modulus.len() {
            return Err(CryptoError::Input);
        }
        if is_fixed(block, &self.modulus) {
            return Ok(Zeroizing::new(block.to_vec()));
        }
        let mut out = Zeroizing::new(vec![0; self.modulus.len()]);
        let mut length = 0;
        // SAFETY: `out` has room for the modulus' length, which is the most that is written; `block`
        // is a live slice of that length; the key is live.
        let ok = unsafe {
            ffi::RSA_sign_raw(
                self.key.get(),
                &mut length,
                out.as_mut_ptr(),
                out.len(),
                block.as_ptr(),
                block.len(),
                ffi::RSA_NO_PADDING,
            )
        };
        forget_errors();
        if ok == 1 && length == self.modulus.len() { Ok(out) } else { Err(CryptoError::Input) }
    }
}

struct Ec {
    key: Owned<ffi::EC_KEY>,
    curve: Curve,
}

impl Ec {
    fn new(curve: Curve, scalar: &[u8]) -> Result<Self, CryptoError> {
        let name = match curve {
            Curve::P256 => ffi::NID_X9_62_prime256v1,
            Curve::P384 => ffi::NID_secp384r1,
            Curve::P521 => ffi::NID_secp521r1,
        };
        // SAFETY: a known curve; null is turned into an error by `Owned::new`.
        let key = Owned::new(unsafe { ffi::EC_KEY_new_by_curve_name(name) }, ffi::EC_KEY_free)?;
        let private = number(scalar)?;
        let point = decode(&key, &curve.public(scalar)?)?;
        // SAFETY: live key, number and point; both setters copy, and check that they fit the curve.
        let ok = unsafe {
            ffi::EC_KEY_set_private_key(key.get(), private.get()) == 1 && ffi::EC_KEY_set_public_key(key.get(), point.get()) == 1
        };
        if ok { Ok(Self { key, curve }) } else { Err(CryptoError::Key) }
    }
}

/// An uncompressed point; aws-lc checks that it is on the curve.
fn decode(key: &Owned<ffi::EC_KEY>, bytes: &[u8]) -> Result<Owned<ffi::EC_POINT>, CryptoError> {
    // SAFETY: the group belongs to the live key and outlives the point's use here; the slice is live.
    unsafe {
        let group = ffi::EC_KEY_get0_group(key.get());
        let point = Owned::new(ffi::EC_POINT_new(group), ffi::EC_POINT_free)?;
        let ok = ffi::EC_POINT_oct2point(group, point.get(), bytes.as_ptr(), bytes.len(), null_mut());
        forget_errors();
        if ok == 1 { Ok(point) } else { Err(CryptoError::Input) }
    }
}

impl EcPrivate for Ec {
    fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let digest = self.curve.integer(digest)?;
        // SAFETY: the live key tells its longest signature, and `out` has that room; the digest is a
        // live slice.
        unsafe {
            let mut out = vec![0; ffi::ECDSA_size(self.key.get())];
            let mut length = 0;
            let ok = ffi::ECDSA_sign(0, digest.as_ptr(), digest.len(), out.as_mut_ptr(), &mut length, self.key.get());
            forget_errors();
            out.truncate(length as usize);
            if ok == 1 { Ok(out) } else { Err(CryptoError::Input) }
        }
    }

    fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if point.len() != 2 * self.curve.size() + 1 || point[0] != 4 {
            return Err(CryptoError::Input);
        }
        let point = decode(&self.key, point)?;
        let mut out = Zeroizing::new(vec![0u8; self.curve.size()]);
        // SAFETY: `out` has room for one coordinate; point and key are live; without a KDF the
        // x-coordinate itself is written.
        let written = unsafe { ffi::ECDH_compute_key(out.as_mut_ptr().cast(), out.len(), point.get(), self.key.get(), None) };
        forget_errors();
        if usize::try_from(written) == Ok(out.len()) { Ok(out) } else { Err(CryptoError::Input) }
    }
}

/// Failures are told by return values; the thread's error queue would only grow.
fn forget_errors() {
    // SAFETY: clears a thread-local queue.
    unsafe { ffi::ERR_clear_error() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardlab_sim::crypto::asymmetric::{Algorithm, KeyPair};
    use cardlab_sim::crypto::backend::RustCrypto;
    use cardlab_sim::random::Random;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn keys() -> Vec<KeyPair> {
        let mut random = Random::from_number(11, 0);
        [Algorithm::Rsa(1024), Algorithm::Rsa(2048), Algorithm::Ec(Curve::P256), Algorithm::Ec(Curve::P384)]
            .map(|a| KeyPair::generate(a, &mut random).unwrap())
            .into()
    }

    #[test]
    fn rsa_gives_the_same_bytes_as_rustcrypto() {
        for key in keys() {
            let KeyPair::Rsa(rsa) = &key else { continue };
            let (fast, pure) = (AwsLc.rsa(rsa).unwrap(), RustCrypto.rsa(rsa).unwrap());
            let mut random = Random::from_number(12, 0);
            for _ in 0..16 {
                let mut block = vec![0; rsa.size()];
                random.fill(&mut block[1..]);
                assert_eq!(*fast.private(&block).unwrap(), *pure.private(&block).unwrap());
            }
            let above = vec![0xFF; rsa.size()];
            assert_eq!(fast.private(&above).unwrap_err(), pure.private(&above).unwrap_err());
            assert_eq!(fast.private(&above[1..]).unwrap_err(), CryptoError::Input);
        }
    }

    #[test]
    fn both_agree_on_ecdh_and_refuse_the_same_points() {
        let mut random = Random::from_number(13, 0);
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let (a, b) = (curve.generate(&mut random), curve.generate(&mut random));
            let (fast, pure) = (AwsLc.ec(curve, &a).unwrap(), RustCrypto.ec(curve, &a).unwrap());
            let point = curve.public(&b).unwrap();
            assert_eq!(*fast.agree(&point).unwrap(), *pure.agree(&point).unwrap());
            let mut off = point.clone();
            off[5] ^= 1;
            for bad in [&off[..], &point[1..], &[], &vec![0; point.len()]] {
                assert_eq!(fast.agree(bad).unwrap_err(), CryptoError::Input);
                assert_eq!(pure.agree(bad).unwrap_err(), CryptoError::Input);
            }
        }
    }

    /// One key a size, made once.
    static RSA: LazyLock<Vec<RsaKey>> = LazyLock::new(|| {
        let mut random = Random::from_number(14, 0);
        [1024, 2048].map(|bits| RsaKey::generate(bits, &mut random).unwrap()).into()
    });

    /// `modulus + by`, as long as the modulus; what does not fit is cut.
    fn near(modulus: &[u8], by: i16) -> Vec<u8> {
        let mut sum = modulus.to_vec();
        let mut carry = i32::from(by);
        for byte in sum.iter_mut().rev() {
            carry += i32::from(*byte);
            *byte = carry.rem_euclid(256) as u8;
            carry = carry.div_euclid(256);
        }
        sum
    }

    /// A block for a key: mostly where libraries differ.
    #[derive(Clone, Debug)]
    enum Block {
        Small(u8),
        /// The modulus and so many more.
        Near(i16),
        /// A multiple of a prime: it has no inverse.
        Multiple(usize, u8),
        /// Of another length, one byte all over.
        Filled(i8, u8),
        Any([u8; 32]),
    }

    impl Block {
        fn drawn() -> impl Strategy<Value = Self> {
            prop_oneof![
                (0..=3u8).prop_map(Self::Small),
                (-3..=3i16).prop_map(Self::Near),
                (0..2usize, 1..=9u8).prop_map(|(prime, times)| Self::Multiple(prime, times)),
                (-2..=2i8, any::<u8>()).prop_map(|(longer, fill)| Self::Filled(longer, fill)),
                any::<[u8; 32]>().prop_map(Self::Any),
            ]
        }

        fn of(&self, key: &RsaKey) -> Vec<u8> {
            match *self {
                Self::Small(last) => [vec![0; key.size() - 1], vec![last]].concat(),
                Self::Near(by) => near(&key.modulus(), by),
                Self::Multiple(prime, times) => (0..times).fold(vec![0; key.size()], |sum, _| add(&sum, &key.primes()[prime])),
                Self::Filled(longer, fill) => vec![fill; key.size().checked_add_signed(longer.into()).unwrap()],
                Self::Any(seed) => {
                    let mut block = vec![0; key.size()];
                    Random::from_seed(seed).fill(&mut block);
                    block
                }
            }
        }
    }

    fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
        let mut sum = a.to_vec();
        let mut carry = 0;
        for (n, byte) in sum.iter_mut().rev().enumerate() {
            carry += u16::from(*byte) + b.len().checked_sub(n + 1).map_or(0, |at| u16::from(b[at]));
            *byte = carry as u8;
            carry >>= 8;
        }
        sum
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        /// Both give the same bytes, or both refuse; 0 to n - 1 is in range (RFC 8017 section 5.1.2).
        #[test]
        fn rsa_agrees_on_edges(which in 0..2usize, block in Block::drawn()) {
            let key = &RSA[which];
            let block = block.of(key);
            let (fast, pure) = (AwsLc.rsa(key).unwrap().private(&block), RustCrypto.rsa(key).unwrap().private(&block));
            let in_range = block.len() == key.size() && block < key.modulus();
            prop_assert_eq!(fast.is_ok(), in_range, "aws-lc on {:02X?}", &block);
            prop_assert_eq!(fast, pure, "{:02X?}", &block);
        }

        /// ECDH and the leftmost bits of a digest, on points and digests of every length.
        #[test]
        fn curves_agree_on_edges(which in 0..3usize, seed: u64, kind in 0..8u8, digest in proptest::collection::vec(prop_oneof![Just(0u8), Just(0xFF), any::<u8>()], 0..=70)) {
            let curve = [Curve::P256, Curve::P384, Curve::P521][which];
            let mut random = Random::from_number(seed, 0);
            let (own, other) = (curve.generate(&mut random), curve.generate(&mut random));
            let (fast, pure) = (AwsLc.ec(curve, &own).unwrap(), RustCrypto.ec(curve, &own).unwrap());
            let mut point = curve.public(&other).unwrap();
            match kind {
                // The form byte: infinity, compressed, hybrid.
                0 => point[0] = 0,
                1 => { point.truncate(curve.size() + 1); point[0] = 2 | (other[0] & 1); }
                2 => point[0] = 6 | (point[point.len() - 1] & 1),
                // Coordinates that are no field elements, or zero.
                3 => point[1..=curve.size()].fill(0xFF),
                4 => point[1..].fill(0),
                5 => { point.pop(); }
                _ => {}
            }
            prop_assert_eq!(fast.agree(&point), pure.agree(&point), "{:02X?}", &point);
            prop_assert_eq!(fast.sign(&digest).is_ok(), pure.sign(&digest).is_ok(), "a digest of {} bytes", digest.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// What aws-lc signs, RustCrypto verifies.
        #[test]
        fn signatures_verify_elsewhere(seed: u64, digest in proptest::collection::vec(any::<u8>(), 1..=32)) {
            use p256::ecdsa::signature::hazmat::PrehashVerifier;
            let scalar = Curve::P256.generate(&mut Random::from_number(seed, 0));
            let signature = AwsLc.ec(Curve::P256, &scalar).unwrap().sign(&digest).unwrap();
            let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&Curve::P256.public(&scalar).unwrap()).unwrap();
            let signature = p256::ecdsa::Signature::from_der(&signature).unwrap();
            let digest = Curve::P256.integer(&digest).unwrap();
            prop_assert!(public.verify_prehash(&digest, &signature).is_ok());
        }
    }
}
