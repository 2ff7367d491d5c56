//! DNSSEC primitives: canonical form, signature verification, digests, key tags and NSEC3 hashes.
//!
//! No clock, no policy, no chain of trust: each function answers one question about given octets.

#![forbid(unsafe_code)]

mod arithmetic;
mod canonical;
mod digest;
mod nsec3;
mod verify;

pub use arithmetic::{Arithmetic, MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS, MIN_RSA_BITS};
pub use canonical::{canonical_rdata, canonical_rdatas, signed_data, Rrset, Rrsig};
pub use digest::{ds_digest, key_tag};
pub use nsec3::{nsec3_hash, MAX_NSEC3_ITERATIONS};
pub use verify::{verify_rrsig, Outcome, Unverifiable, Verifier};
