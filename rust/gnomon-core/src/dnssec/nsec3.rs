//! The hash of NSEC3 owner names (RFC 5155 section 5).

use ring::digest::{digest, SHA1_FOR_LEGACY_USE_ONLY};

/// Most extra iterations that are computed; RFC 9276 section 3.1 asks for 0, validators give up at 50 to 500.
pub const MAX_NSEC3_ITERATIONS: u16 = 500;

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
