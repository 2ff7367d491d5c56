//! Zone files: master files of any size read as a stream, and whole zones audited.
//!
//! No file is opened here and no clock is read: octets come in pieces, the time of validation is given. Everything
//! found is a code with a count and first places; how bad it is, is decided elsewhere.

#![forbid(unsafe_code)]

mod audit;
mod diff;
mod fault;
mod findings;
mod generate;
mod lexer;
mod nsec;
mod nsec3;
mod parser;
mod places;
mod rdata;
mod signatures;
mod store;
mod structure;
mod svcb;
mod text;
mod types;
mod zonemd;

pub use audit::{audit, Audit};
pub use diff::{DiffCursor, Difference};
pub use fault::{Fault, FaultKind};
pub use findings::{Example, Finding, Findings, MAX_EXAMPLES};
pub use nsec3::{MAX_CHAINS, MAX_HASHES_PER_RECORD, MIN_HASHES};
pub use parser::{Parser, Record, MAX_FAULTS, MAX_GENERATED};
pub use rdata::put_rdata;
pub use signatures::{Tally, MAX_KEYS, MAX_KEYS_OF_TAG, MAX_SIGNATURES};
pub use store::{Zone, ZoneBuilder};
pub use structure::DsKinds;
pub use types::type_name;
