//! Recorded exchanges as columns: their order, their canonical octets, their hashes.
//!
//! `docs/formats/segment.md` is the specification. Nothing here reads or writes files.

mod merkle;
mod rows;

pub use merkle::MerkleTree;
pub use rows::{Octets, Recorded, Rows, Text, LEAF_OCTETS};
