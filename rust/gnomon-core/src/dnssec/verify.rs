//! Signature verification (RFC 4035 section 5.3): valid, invalid, or not checkable with a reason.

use super::canonical::{signed_data, Rrset, Rrsig};
use super::digest::key_tag;
use crate::wire::label_count;

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

/// Public-key arithmetic: the one thing here that comes from libraries.
pub trait Verifier {
    /// Whether the key (a DNSKEY's public key field) made `signature` over `data` with the DNSSEC algorithm.
    fn verify(&self, algorithm: u8, key: &[u8], data: &[u8], signature: &[u8]) -> Outcome;
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
}
