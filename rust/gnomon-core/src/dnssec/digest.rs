//! Key tags and DS digests (RFC 4034 section 5.1.4 and appendix B).

use ring::digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384};

/// RSA/MD5, whose key tag is made in another way (RFC 4034 appendix B.1).
const RSAMD5: u8 = 1;

/// The key tag of a DNSKEY rdata; 0 for fewer than 4 octets.
#[must_use]
pub fn key_tag(dnskey_rdata: &[u8]) -> u16 {
    let Some(&[_, _, _, algorithm]) = dnskey_rdata.first_chunk() else {
        return 0;
    };
    if algorithm == RSAMD5 {
        // The 16 bits before the last 8 of the modulus.
        return match dnskey_rdata.last_chunk() {
            Some(&[high, low, _]) if dnskey_rdata.len() >= 7 => u16::from_be_bytes([high, low]),
            _ => 0,
        };
    }
    let mut sum = 0u32;
    for pair in dnskey_rdata.chunks(2) {
        let high = pair.first().copied().unwrap_or_default();
        let low = pair.get(1).copied().unwrap_or_default();
        sum = sum.wrapping_add(u32::from(u16::from_be_bytes([high, low])));
    }
    let folded = sum.wrapping_add(sum >> 16) & 0xffff;
    u16::try_from(folded).unwrap_or_default()
}

/// The digest of a DS for that key: types 1 (RFC 4034), 2 (RFC 4509) and 4 (RFC 6605); None for any other.
#[must_use]
pub fn ds_digest(owner: &[u8], dnskey_rdata: &[u8], digest_type: u8) -> Option<Vec<u8>> {
    let algorithm: &'static Algorithm = match digest_type {
        1 => &SHA1_FOR_LEGACY_USE_ONLY,
        2 => &SHA256,
        4 => &SHA384,
        _ => return None,
    };
    let mut data = owner.to_ascii_lowercase();
    data.extend_from_slice(dnskey_rdata);
    Some(digest::digest(algorithm, &data).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_tags() {
        assert_eq!(key_tag(b""), 0);
        assert_eq!(key_tag(b"\x01\x00\x03"), 0);
        // 0x0100 + 0x0308 + 0xff00, by hand; an odd octet counts as the high one.
        assert_eq!(key_tag(b"\x01\x00\x03\x08"), 0x0408);
        assert_eq!(key_tag(b"\x01\x00\x03\x08\xff"), 0x0309);
        assert_eq!(key_tag(b"\x01\x00\x03\x01\xaa\xbb\xcc\xdd"), 0xbbcc);
        assert_eq!(key_tag(b"\x01\x00\x03\x01\xaa\xbb"), 0);
    }

    #[test]
    fn digests_ignore_the_case_of_the_owner() {
        let key = b"\x01\x01\x03\x0d1234";
        assert_eq!(
            ds_digest(b"\x01A\x00", key, 2),
            ds_digest(b"\x01a\x00", key, 2)
        );
        assert_eq!(
            [1, 2, 4].map(|t| ds_digest(b"\x00", key, t).map(|d| d.len())),
            [Some(20), Some(32), Some(48)]
        );
        assert_eq!(
            [0, 3, 5, 255].map(|t| ds_digest(b"\x00", key, t)),
            [None, None, None, None]
        );
    }
}
