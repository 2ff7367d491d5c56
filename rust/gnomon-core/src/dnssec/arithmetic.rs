//! The public-key algorithms of DNSSEC, as two libraries have them.

use super::verify::{Outcome, Unverifiable, Verifier};
use ed448_goldilocks::{Signature as Ed448Signature, VerifyingKey as Ed448Key};
use ring::digest::{digest, Algorithm as Hash, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use ring::signature::{
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
};
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};

/// Smallest RSA modulus that is verified, in bits (RFC 3110 section 2, RFC 5702 section 2.1).
pub const MIN_RSA_BITS: usize = 512;

/// Largest RSA modulus that is verified, in bits (RFC 3110 section 2; larger ones only cost time).
pub const MAX_RSA_BITS: usize = 4096;

/// Largest RSA public exponent that is verified, in bits: time grows with it, and validators stop there.
pub const MAX_RSA_EXPONENT_BITS: usize = 35;

/// RSA that `ring` takes: moduli of at least so many bits, exponents of at most so many.
const RING_RSA_BITS: usize = 1024;
const RING_EXPONENT_BITS: usize = 33;

/// RSA with SHA-1, SHA-256 and SHA-512, ECDSA P-256 and P-384, Ed25519 and Ed448: `ring`, and `RustCrypto` for what
/// `ring` leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arithmetic;

impl Verifier for Arithmetic {
    fn verify(&self, algorithm: u8, key: &[u8], data: &[u8], signature: &[u8]) -> Outcome {
        match algorithm {
            5 | 7 => verify_rsa(&SHA1, key, data, signature),
            8 => verify_rsa(&SHA2_256, key, data, signature),
            10 => verify_rsa(&SHA2_512, key, data, signature),
            // RFC 6605 section 4: the two coordinates without the octet that says so.
            13 => verify_raw(&ECDSA_P256_SHA256_FIXED, &[4], key, 64, data, signature),
            14 => verify_raw(&ECDSA_P384_SHA384_FIXED, &[4], key, 96, data, signature),
            15 => verify_raw(&ED25519, &[], key, 32, data, signature),
            16 => verify_ed448(key, data, signature),
            _ => Outcome::NotCheckable(Unverifiable::Algorithm),
        }
    }
}

fn outcome<E>(result: Result<(), E>) -> Outcome {
    if result.is_ok() {
        Outcome::Valid
    } else {
        Outcome::Invalid
    }
}

fn verify_raw(
    algorithm: &'static dyn VerificationAlgorithm,
    prefix: &[u8],
    key: &[u8],
    key_octets: usize,
    data: &[u8],
    signature: &[u8],
) -> Outcome {
    let mut point = [0; 97];
    let octets = prefix.len() + key.len();
    let (true, Some(point)) = (key.len() == key_octets, point.get_mut(..octets)) else {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    };
    let (head, tail) = point.split_at_mut(prefix.len());
    head.copy_from_slice(prefix);
    tail.copy_from_slice(key);
    outcome(UnparsedPublicKey::new(algorithm, point).verify(data, signature))
}

/// RFC 8080 section 3 with RFC 8032 section 5.2: 57 octets of key, no context.
fn verify_ed448(key: &[u8], data: &[u8], signature: &[u8]) -> Outcome {
    let Ok(octets) = <[u8; 57]>::try_from(key) else {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    };
    let Ok(key) = Ed448Key::from_bytes(&octets) else {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    };
    match Ed448Signature::try_from(signature) {
        Ok(signature) => outcome(key.verify_raw(&signature, data)),
        Err(_) => Outcome::Invalid,
    }
}

/// One hash under RSA: as `ring` has it, and alone with the octets before its value (RFC 8017 section 9.2).
struct RsaHash {
    ring: &'static RsaParameters,
    hash: &'static Hash,
    prefix: &'static [u8],
}

static SHA1: RsaHash = RsaHash {
    ring: &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    hash: &SHA1_FOR_LEGACY_USE_ONLY,
    prefix: b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
};
static SHA2_256: RsaHash = RsaHash {
    ring: &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    hash: &SHA256,
    prefix: b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
};
static SHA2_512: RsaHash = RsaHash {
    ring: &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    hash: &SHA512,
    prefix: b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
};

fn verify_rsa(with: &RsaHash, key: &[u8], data: &[u8], signature: &[u8]) -> Outcome {
    let Some((e, n)) = rsa_parts(key) else {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    };
    let (e_bits, n_bits) = (bit_length(e), bit_length(n));
    if e_bits > MAX_RSA_EXPONENT_BITS || !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&n_bits) {
        return Outcome::NotCheckable(Unverifiable::KeySize);
    }
    // An even number, or an exponent below 3, makes no RSA key.
    if e_bits < 2 || !is_odd(e) || !is_odd(n) {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    }
    if n_bits >= RING_RSA_BITS && e_bits <= RING_EXPONENT_BITS {
        return outcome(RsaPublicKeyComponents { n, e }.verify(with.ring, data, signature));
    }
    let [n, e] = [n, e].map(BoxedUint::from_be_slice_vartime);
    let scheme = Pkcs1v15Sign {
        hash_len: Some(with.hash.output_len()),
        prefix: with.prefix.into(),
    };
    // "Unchecked" is the size, which was looked at above.
    let key = RsaPublicKey::new_unchecked(n, e);
    outcome(key.verify(scheme, digest(with.hash, data).as_ref(), signature))
}

/// Exponent and modulus without leading zero octets (RFC 3110 section 2).
fn rsa_parts(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (e_octets, rest) = match key {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [octets, rest @ ..] if *octets > 0 => (usize::from(*octets), rest),
        _ => return None,
    };
    let (e, n) = rest.split_at_checked(e_octets)?;
    let (e, n) = (strip_zeros(e), strip_zeros(n));
    (!e.is_empty() && !n.is_empty()).then_some((e, n))
}

fn strip_zeros(mut octets: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = octets {
        octets = rest;
    }
    octets
}

/// Bits of a number without leading zero octets.
fn bit_length(octets: &[u8]) -> usize {
    let leading = octets
        .first()
        .map_or(0, |first| first.leading_zeros() as usize);
    octets.len() * 8 - leading
}

fn is_odd(octets: &[u8]) -> bool {
    octets.last().is_some_and(|last| last & 1 == 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn rsa_key(e: &[u8], n: &[u8]) -> Vec<u8> {
        [
            &[0],
            &u16::try_from(e.len()).unwrap().to_be_bytes()[..],
            e,
            n,
        ]
        .concat()
    }

    #[test]
    fn rsa_limits() {
        let n = |octets: usize| [vec![0x80], vec![0; octets - 2], vec![1]].concat();
        let try_key = |key: &[u8]| Arithmetic.verify(8, key, b"data", &[1; 256]).code();
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(256))), "invalid");
        assert_eq!(
            try_key(&rsa_key(&[0, 0, 1, 0, 1], &[vec![0], n(256)].concat())),
            "invalid"
        );
        assert_eq!(
            try_key(&rsa_key(&[1, 0, 1], &n(63))),
            "not-checkable:key-size"
        );
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(64))), "invalid");
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(127))), "invalid");
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(128))), "invalid");
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(512))), "invalid");
        assert_eq!(
            try_key(&rsa_key(&[1, 0, 1], &n(513))),
            "not-checkable:key-size"
        );
        for e in [1, 2, 7] {
            assert_eq!(try_key(&rsa_key(&[e, 0, 0, 0, 1], &n(256))), "invalid");
        }
        assert_eq!(
            try_key(&rsa_key(&[8, 0, 0, 0, 1], &n(256))),
            "not-checkable:key-size"
        );
        assert_eq!(
            try_key(&rsa_key(&[1; 256], &n(256))),
            "not-checkable:key-size"
        );
        for (e, octets) in [(&[1][..], 256), (&[2], 256), (&[0], 256), (&[], 256)] {
            assert_eq!(
                try_key(&rsa_key(e, &n(octets))),
                "not-checkable:malformed-key"
            );
        }
        for key in [
            &b""[..],
            b"\x00",
            b"\x00\x01",
            b"\x03\x01\x00\x01",
            b"\x09\x01",
        ] {
            assert_eq!(try_key(key), "not-checkable:malformed-key");
        }
    }

    #[test]
    fn other_algorithms() {
        let code =
            |algorithm, key: &[u8]| Arithmetic.verify(algorithm, key, b"data", &[1; 64]).code();
        for algorithm in [0, 1, 3, 6, 12, 17, 23, 252, 255] {
            assert_eq!(code(algorithm, &[1; 64]), "not-checkable:algorithm");
        }
        assert_eq!(code(13, &[1; 63]), "not-checkable:malformed-key");
        assert_eq!(code(14, &[1; 64]), "not-checkable:malformed-key");
        assert_eq!(code(15, &[1; 64]), "not-checkable:malformed-key");
        assert_eq!(
            [code(13, &[1; 64]), code(14, &[1; 96]), code(15, &[1; 32])],
            ["invalid"; 3]
        );
        assert_eq!(code(16, &[1; 56]), "not-checkable:malformed-key");
        // A point that is none, and the neutral one.
        assert_eq!(code(16, &[0xff; 57]), "not-checkable:malformed-key");
        let neutral = [vec![1], vec![0; 56]].concat();
        assert_eq!(code(16, &neutral), "not-checkable:malformed-key");
    }
}
