//! Object identifiers of keys and curves.

use super::ec::Curve;
use const_oid::ObjectIdentifier;

/// rsaEncryption, RFC 8017 appendix A.1.
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-RSASSA-PSS, RFC 8017 appendix A.2.3.
pub(super) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// id-ecPublicKey, RFC 5480 section 2.1.1.
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// id-Ed25519, RFC 8410 section 3.
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// id-X25519, RFC 8410 section 3.
pub(super) const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");

/// The curves that cards hold, RFC 5480 section 2.1.1.1.
const CURVES: [(Curve, ObjectIdentifier); 3] = [
    (Curve::P256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (Curve::P384, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (Curve::P521, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
];

/// The name of a curve.
pub(super) const fn of_curve(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => CURVES[0].1,
        Curve::P384 => CURVES[1].1,
        Curve::P521 => CURVES[2].1,
    }
}

/// The curve of this name, where cards hold it.
pub(super) fn curve(name: &ObjectIdentifier) -> Option<Curve> {
    CURVES.iter().find(|known| known.1 == *name).map(|known| known.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_found_by_its_own_name() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            assert_eq!(super::curve(&of_curve(curve)), Some(curve));
        }
    }
}
