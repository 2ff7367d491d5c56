//! Canonical form and the data that a signature covers (RFC 4034 sections 3.1.8.1 and 6, RFC 6840 section 5.1).

use crate::wire::{self, label_count, name_length};
use std::borrow::Cow;

const TYPE_NXT: u16 = 30;
const TYPE_NSEC: u16 = 47;

/// Octets of an RRSIG before the signer's name (RFC 4034 section 3.1).
const RRSIG_FIXED_OCTETS: usize = 18;

/// The records that a signature is said to cover.
#[derive(Clone, Copy, Debug)]
pub struct Rrset<'a> {
    /// Owner name, uncompressed, any case.
    pub owner: &'a [u8],
    /// Type.
    pub rtype: u16,
    /// Class.
    pub rclass: u16,
    /// Record data without compression, in any order, duplicates allowed.
    pub rdatas: &'a [&'a [u8]],
}

/// The parts of an RRSIG rdata that verification needs (RFC 4034 section 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Rrsig<'a> {
    /// The type of the RRset it covers.
    pub type_covered: u16,
    /// The algorithm of its key.
    pub algorithm: u8,
    /// Labels of the owner without the root label and a leading wildcard.
    pub labels: u8,
    /// The TTL in seconds that was signed.
    pub original_ttl: u32,
    /// The key tag of its key.
    pub key_tag: u16,
    /// The name of the zone that signed.
    pub signer: &'a [u8],
    /// The signature itself.
    pub signature: &'a [u8],
    fixed: &'a [u8],
}

impl<'a> Rrsig<'a> {
    /// The fields of an RRSIG rdata without compression; None if it is too short or the signer is no name.
    #[must_use]
    pub fn parse(rdata: &'a [u8]) -> Option<Self> {
        let (fixed, rest) = rdata.split_at_checked(RRSIG_FIXED_OCTETS)?;
        let (signer, signature) = rest.split_at_checked(name_length(rest)?)?;
        Some(Self {
            type_covered: wire::u16_at(fixed, 0)?,
            algorithm: *fixed.get(2)?,
            labels: *fixed.get(3)?,
            original_ttl: wire::u32_at(fixed, 4)?,
            key_tag: wire::u16_at(fixed, 16)?,
            signer,
            signature,
            fixed,
        })
    }
}

/// The rdata with its names in lower case, for the types of RFC 4034 section 6.2 but not NSEC and with RRSIG
/// (RFC 6840 section 5.1). An rdata whose fields do not fill it is returned as it is.
#[must_use]
pub fn canonical_rdata(rtype: u16, rdata: &[u8]) -> Cow<'_, [u8]> {
    // NXT is NSEC's forerunner; like it, it is left alone.
    let fields = match rtype {
        TYPE_NXT | TYPE_NSEC => None,
        _ => wire::layout(rtype),
    };
    let Some(spans) = fields.and_then(|fields| wire::name_spans(rdata, fields)) else {
        return Cow::Borrowed(rdata);
    };
    let mut out = rdata.to_vec();
    for span in spans {
        if let Some(name) = out.get_mut(span) {
            // Length octets are at most 63, below the letters.
            name.make_ascii_lowercase();
        }
    }
    Cow::Owned(out)
}

/// The rdatas in canonical form, sorted as octets and without duplicates (RFC 4034 section 6.3).
#[must_use]
pub fn canonical_rdatas<'a>(rtype: u16, rdatas: &[&'a [u8]]) -> Vec<Cow<'a, [u8]>> {
    let mut out: Vec<_> = rdatas
        .iter()
        .map(|rdata| canonical_rdata(rtype, rdata))
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// The octets that `rrsig` signs if it covers `rrset` (RFC 4034 section 3.1.8.1).
///
/// None if the owner is not one name, the signature counts more labels than the owner has (RFC 4035
/// section 5.3.1), or an rdata exceeds 65,535 octets.
#[must_use]
pub fn signed_data(rrset: &Rrset<'_>, rrsig: &Rrsig<'_>) -> Option<Vec<u8>> {
    let owner = signed_owner(rrset.owner, usize::from(rrsig.labels))?;
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(rrsig.fixed);
    out.extend(rrsig.signer.iter().map(u8::to_ascii_lowercase));
    for rdata in canonical_rdatas(rrset.rtype, rrset.rdatas) {
        out.extend_from_slice(&owner);
        out.extend_from_slice(&rrset.rtype.to_be_bytes());
        out.extend_from_slice(&rrset.rclass.to_be_bytes());
        out.extend_from_slice(&rrsig.original_ttl.to_be_bytes());
        out.extend_from_slice(&u16::try_from(rdata.len()).ok()?.to_be_bytes());
        out.extend_from_slice(&rdata);
    }
    Some(out)
}

/// The owner in lower case, or the wildcard it was expanded from (RFC 4035 section 5.3.2).
fn signed_owner(owner: &[u8], labels: usize) -> Option<Vec<u8>> {
    let surplus = label_count(owner)?.checked_sub(labels)?;
    let mut rest = owner;
    for _ in 0..surplus {
        let length = usize::from(*rest.first()?);
        rest = rest.get(length + 1..)?;
    }
    let mut out = if surplus > 0 {
        b"\x01*".to_vec()
    } else {
        Vec::new()
    };
    out.extend(rest.iter().map(u8::to_ascii_lowercase));
    Some(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lowercased_where_rfc_6840_says() {
        let ns = b"\x02NS\x04TEST\x00";
        assert_eq!(canonical_rdata(2, ns).as_ref(), b"\x02ns\x04test\x00");
        assert_eq!(canonical_rdata(16, b"\x02NS").as_ref(), b"\x02NS");
        let nsec = b"\x02NS\x00\x00\x01\x40";
        assert_eq!(canonical_rdata(47, nsec).as_ref(), nsec);
        let mut rrsig = vec![65; 18];
        rrsig.extend_from_slice(b"\x02NS\x00SIG");
        assert_eq!(&canonical_rdata(46, &rrsig)[18..], b"\x02ns\x00SIG");
        assert_eq!(&canonical_rdata(46, &rrsig)[..18], [65; 18]);
        assert_eq!(canonical_rdata(2, b"\x09AB").as_ref(), b"\x09AB");
    }

    #[test]
    fn sorted_as_octets_without_duplicates() {
        let rdatas: [&[u8]; 4] = [b"\x01b\x00", b"\x01A\x00", b"\x01a\x00", b"\x02aa\x00"];
        assert_eq!(
            canonical_rdatas(2, &rdatas),
            [&b"\x01a\x00"[..], b"\x01b\x00", b"\x02aa\x00"]
        );
        let unlike: [&[u8]; 3] = [b"\x02", b"\x01\xff", b"\x01"];
        assert_eq!(
            canonical_rdatas(999, &unlike),
            [&b"\x01"[..], b"\x01\xff", b"\x02"]
        );
    }

    #[test]
    fn wildcards_come_from_the_label_count() {
        let owner = b"\x01A\x01b\x04TEST\x00";
        assert_eq!(signed_owner(owner, 3).unwrap(), b"\x01a\x01b\x04test\x00");
        assert_eq!(signed_owner(owner, 2).unwrap(), b"\x01*\x01b\x04test\x00");
        assert_eq!(signed_owner(owner, 0).unwrap(), b"\x01*\x00");
        assert_eq!(signed_owner(owner, 4), None);
        assert_eq!(
            signed_owner(b"\x01*\x04TEST\x00", 1).unwrap(),
            b"\x01*\x04test\x00"
        );
        assert_eq!(signed_owner(b"\x00", 0).unwrap(), b"\x00");
        assert_eq!(signed_owner(b"\x05a", 0), None);
    }
}
