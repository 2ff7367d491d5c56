//! Signature verification (RFC 4035 section 5.3): valid, invalid, or not checkable with a reason.

use super::canonical::{signed_data, Rrset, Rrsig};
use super::digest::key_tag;
use crate::wire::label_count;
use ring::signature::{
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
};

/// Smallest RSA modulus that is verified, in bits (the library's limit).
pub const MIN_RSA_BITS: usize = 1024;

/// Largest RSA modulus that is verified, in bits (RFC 3110 section 2; larger ones only cost time).
pub const MAX_RSA_BITS: usize = 4096;

/// Largest RSA public exponent that is verified, in bits (the library's limit; time grows with it).
pub const MAX_RSA_EXPONENT_BITS: usize = 33;

/// Why a signature cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverifiable {
    /// No implementation of the algorithm.
    Algorithm,
    /// An RSA modulus or exponent outside the limits.
    KeySize,
    /// The octets are no public key of the algorithm.
    MalformedKey,
    /// The RRSIG rdata cannot be read.
    MalformedRrsig,
    /// The owner is not one name.
    MalformedName,
}

/// What became of one signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The key made the signature over these records.
    Valid,
    /// It did not.
    Invalid,
    /// Neither can be said.
    NotCheckable(Unverifiable),
}

impl Outcome {
    /// The stable word for this outcome.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::NotCheckable(Unverifiable::Algorithm) => "not-checkable:algorithm",
            Self::NotCheckable(Unverifiable::KeySize) => "not-checkable:key-size",
            Self::NotCheckable(Unverifiable::MalformedKey) => "not-checkable:malformed-key",
            Self::NotCheckable(Unverifiable::MalformedRrsig) => "not-checkable:malformed-rrsig",
            Self::NotCheckable(Unverifiable::MalformedName) => "not-checkable:malformed-name",
        }
    }
}

/// Public-key arithmetic: the one thing here that comes from a library.
pub trait Verifier {
    /// Whether the key (a DNSKEY's public key field) made `signature` over `data` with the DNSSEC algorithm.
    fn verify(&self, algorithm: u8, key: &[u8], data: &[u8], signature: &[u8]) -> Outcome;
}

/// The algorithms of `ring`: RSA with SHA-1, SHA-256 and SHA-512, ECDSA P-256 and P-384, Ed25519.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingVerifier;

impl Verifier for RingVerifier {
    fn verify(&self, algorithm: u8, key: &[u8], data: &[u8], signature: &[u8]) -> Outcome {
        match algorithm {
            5 | 7 => verify_rsa(
                &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                key,
                data,
                signature,
            ),
            8 => verify_rsa(
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                key,
                data,
                signature,
            ),
            10 => verify_rsa(
                &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
                key,
                data,
                signature,
            ),
            // RFC 6605 section 4: the two coordinates without the octet that says so.
            13 => verify_raw(&ECDSA_P256_SHA256_FIXED, &[4], key, 64, data, signature),
            14 => verify_raw(&ECDSA_P384_SHA384_FIXED, &[4], key, 96, data, signature),
            15 => verify_raw(&ED25519, &[], key, 32, data, signature),
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
    if key.len() != key_octets {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    }
    let key = [prefix, key].concat();
    outcome(UnparsedPublicKey::new(algorithm, key).verify(data, signature))
}

fn verify_rsa(
    parameters: &'static RsaParameters,
    key: &[u8],
    data: &[u8],
    signature: &[u8],
) -> Outcome {
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
    outcome(RsaPublicKeyComponents { n, e }.verify(parameters, data, signature))
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

/// Check one signature over one RRset with one key.
///
/// Invalid too are what RFC 4035 section 5.3.1 rules out on the face of the octets: another type covered, key tag
/// or algorithm than the key's, more labels than the owner has, or an owner outside the signer's name. Time, the
/// key's flags and protocol, and whether the signer is the zone are left to the caller.
pub fn verify_rrsig(
    verifier: &impl Verifier,
    rrset: &Rrset<'_>,
    rrsig_rdata: &[u8],
    dnskey_rdata: &[u8],
) -> Outcome {
    let Some(owner_labels) = label_count(rrset.owner) else {
        return Outcome::NotCheckable(Unverifiable::MalformedName);
    };
    let Some(rrsig) = Rrsig::parse(rrsig_rdata) else {
        return Outcome::NotCheckable(Unverifiable::MalformedRrsig);
    };
    let Some((&[_, _, _, algorithm], key)) = dnskey_rdata.split_first_chunk() else {
        return Outcome::NotCheckable(Unverifiable::MalformedKey);
    };
    if rrsig.type_covered != rrset.rtype
        || rrsig.algorithm != algorithm
        || rrsig.key_tag != key_tag(dnskey_rdata)
        || usize::from(rrsig.labels) > owner_labels
        || !is_at_or_below(rrset.owner, rrsig.signer)
    {
        return Outcome::Invalid;
    }
    match signed_data(rrset, &rrsig) {
        Some(data) => verifier.verify(algorithm, key, &data, rrsig.signature),
        None => Outcome::Invalid,
    }
}

/// Whether the name is `ancestor` or below it; both uncompressed (RFC 4343: case does not count).
fn is_at_or_below(name: &[u8], ancestor: &[u8]) -> bool {
    let mut rest = name;
    loop {
        if rest.eq_ignore_ascii_case(ancestor) {
            return true;
        }
        let Some(next) = rest
            .first()
            .and_then(|&length| rest.get(usize::from(length) + 1..))
        else {
            return false;
        };
        if next.is_empty() {
            return false;
        }
        rest = next;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Takes every signature for good and keeps the data it was asked about.
    #[derive(Default)]
    struct Recorder(RefCell<Vec<u8>>);

    impl Verifier for Recorder {
        fn verify(&self, _: u8, _: &[u8], data: &[u8], _: &[u8]) -> Outcome {
            *self.0.borrow_mut() = data.to_vec();
            Outcome::Valid
        }
    }

    const KEY: &[u8] = b"\x01\x00\x03\x0dkey";
    const OWNER: &[u8] = b"\x01A\x01b\x04Test\x00";

    fn rrsig(rtype: u16, algorithm: u8, labels: u8, tag: u16, signer: &[u8]) -> Vec<u8> {
        let mut out = rtype.to_be_bytes().to_vec();
        out.extend_from_slice(&[algorithm, labels, 0, 0, 14, 16, 0, 0, 0, 2, 0, 0, 0, 1]);
        out.extend_from_slice(&tag.to_be_bytes());
        out.extend_from_slice(signer);
        out.extend_from_slice(b"signature");
        out
    }

    fn judge(verifier: &impl Verifier, owner: &[u8], rrsig: &[u8], key: &[u8]) -> Outcome {
        let rrset = Rrset {
            owner,
            rtype: 2,
            rclass: 1,
            rdatas: &[b"\x02NS\x00"],
        };
        verify_rrsig(verifier, &rrset, rrsig, key)
    }

    #[test]
    fn the_signed_data() {
        let recorder = Recorder::default();
        let signature = rrsig(2, 13, 2, key_tag(KEY), b"\x04TEST\x00");
        assert_eq!(judge(&recorder, OWNER, &signature, KEY), Outcome::Valid);
        let mut expected = signature[..18].to_vec();
        expected.extend_from_slice(b"\x04test\x00");
        expected.extend_from_slice(
            b"\x01*\x01b\x04test\x00\x00\x02\x00\x01\x00\x00\x0e\x10\x00\x04\x02ns\x00",
        );
        assert_eq!(*recorder.0.borrow(), expected);
    }

    #[test]
    fn refused_before_any_arithmetic() {
        let recorder = Recorder::default();
        let tag = key_tag(KEY);
        for bad in [
            rrsig(1, 13, 3, tag, b"\x00"),
            rrsig(2, 8, 3, tag, b"\x00"),
            rrsig(2, 13, 4, tag, b"\x00"),
            rrsig(2, 13, 3, tag ^ 1, b"\x00"),
            rrsig(2, 13, 3, tag, b"\x05other\x00"),
            rrsig(2, 13, 3, tag, b"\x01x\x01a\x01b\x04test\x00"),
        ] {
            assert_eq!(judge(&recorder, OWNER, &bad, KEY), Outcome::Invalid);
        }
        let good = rrsig(2, 13, 3, tag, b"\x00");
        assert_eq!(judge(&recorder, OWNER, &good, KEY), Outcome::Valid);
        let not = |outcome: Outcome| match outcome {
            Outcome::NotCheckable(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            not(judge(&recorder, b"\x01", &good, KEY)),
            Unverifiable::MalformedName
        );
        assert_eq!(
            not(judge(&recorder, OWNER, &good[..18], KEY)),
            Unverifiable::MalformedRrsig
        );
        assert_eq!(
            not(judge(&recorder, OWNER, &good, &KEY[..3])),
            Unverifiable::MalformedKey
        );
    }

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
        let try_key = |key: &[u8]| RingVerifier.verify(8, key, b"data", &[1; 256]).code();
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(256))), "invalid");
        assert_eq!(
            try_key(&rsa_key(&[0, 0, 1, 0, 1], &[vec![0], n(256)].concat())),
            "invalid"
        );
        assert_eq!(
            try_key(&rsa_key(&[1, 0, 1], &n(127))),
            "not-checkable:key-size"
        );
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(128))), "invalid");
        assert_eq!(try_key(&rsa_key(&[1, 0, 1], &n(512))), "invalid");
        assert_eq!(
            try_key(&rsa_key(&[1, 0, 1], &n(513))),
            "not-checkable:key-size"
        );
        assert_eq!(try_key(&rsa_key(&[1, 0, 0, 0, 1], &n(256))), "invalid");
        assert_eq!(
            try_key(&rsa_key(&[2, 0, 0, 0, 1], &n(256))),
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
        let code = |algorithm, key: &[u8]| {
            RingVerifier
                .verify(algorithm, key, b"data", &[1; 64])
                .code()
        };
        for algorithm in [0, 1, 3, 6, 12, 16, 17, 23, 252, 255] {
            assert_eq!(code(algorithm, &[1; 64]), "not-checkable:algorithm");
        }
        assert_eq!(code(13, &[1; 63]), "not-checkable:malformed-key");
        assert_eq!(code(14, &[1; 64]), "not-checkable:malformed-key");
        assert_eq!(code(15, &[1; 64]), "not-checkable:malformed-key");
        assert_eq!(
            [code(13, &[1; 64]), code(14, &[1; 96]), code(15, &[1; 32])],
            ["invalid"; 3]
        );
    }
}
