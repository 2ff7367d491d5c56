//! Merkle tree over the rows of a segment: hashes and shape of RFC 9162 section 2.1, with SHA-256.

use ring::digest::{digest, SHA256};

type Hash = [u8; 32];

/// Takes leaf hashes in order and keeps one hash per level: memory grows with the logarithm of the rows.
#[derive(Default)]
pub struct MerkleTree {
    size: u64,
    peaks: Vec<Hash>,
}

impl MerkleTree {
    /// Leaves taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Take the next leaf hash, SHA-256(0x00 || row).
    pub fn push(&mut self, leaf: Hash) {
        let (mut top, mut rest) = (leaf, self.size);
        // Each trailing 1 bit of the size is a complete subtree that the new leaf completes further.
        while rest & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                top = node(&left, &top);
            }
            rest >>= 1;
        }
        self.peaks.push(top);
        self.size += 1;
    }

    /// The tree's hash; of an empty tree the hash of no octets (RFC 9162 section 2.1.1).
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node(&left, &right))
            .unwrap_or_else(|| finished(digest(&SHA256, b"")))
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut octets = [1; 65];
    let (_, hashes) = octets.split_at_mut(1);
    let (first, second) = hashes.split_at_mut(left.len());
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    finished(digest(&SHA256, &octets))
}

/// The 32 octets of a finished SHA-256.
pub(super) fn finished(digest: ring::digest::Digest) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}
