//! The hash of NSEC3 owner names (RFC 5155 section 5).

use ring::digest::{digest, SHA1_FOR_LEGACY_USE_ONLY};

/// Most extra iterations that are computed: RFC 9276 section 3.1 asks for 0, and validators give up above 50.
pub const MAX_NSEC3_ITERATIONS: u16 = 50;

/// The hash of an uncompressed name: 20 octets; None for an algorithm other than 1 (SHA-1), a salt over 255
/// octets, or over [`MAX_NSEC3_ITERATIONS`].
#[must_use]
pub fn nsec3_hash(name: &[u8], algorithm: u8, iterations: u16, salt: &[u8]) -> Option<Vec<u8>> {
    if algorithm != 1 || iterations > MAX_NSEC3_ITERATIONS || salt.len() > 255 {
        return None;
    }
    let mut data = name.to_ascii_lowercase();
    data.extend_from_slice(salt);
    let mut hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &data);
    for _ in 0..iterations {
        data.clear();
        data.extend_from_slice(hash.as_ref());
        data.extend_from_slice(salt);
        hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &data);
    }
    Some(hash.as_ref().to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rfc_5155_appendix_a() {
        // H(example), 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom in base 32.
        let expected = [
            6, 83, 104, 171, 238, 215, 236, 110, 159, 235, 169, 107, 140, 139, 195, 232, 183, 145,
            247, 22,
        ];
        assert_ne!(nsec3_hash(b"\x07example\x00", 1, 0, b"").unwrap(), expected);
        let hash = nsec3_hash(b"\x07EXAMPLE\x00", 1, 12, b"\xaa\xbb\xcc\xdd").unwrap();
        assert_eq!(hash, expected);
    }

    #[test]
    fn budget() {
        assert!(nsec3_hash(b"\x00", 1, MAX_NSEC3_ITERATIONS, b"").is_some());
        assert!(nsec3_hash(b"\x00", 1, MAX_NSEC3_ITERATIONS + 1, b"").is_none());
        assert!(nsec3_hash(b"\x00", 2, 0, b"").is_none());
    }
}
