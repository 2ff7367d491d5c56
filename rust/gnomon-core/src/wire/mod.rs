//! DNS messages: names, a one-pass message index, rdata with names, and queries (RFC 1035 section 4).
//!
//! Everything here takes octets from anyone. A part that cannot be read is a value ([`Malformed`]), never a
//! panic, and the time is linear in the number of octets whatever they are.

#![forbid(unsafe_code)]

mod labels;
mod message;
mod name;
mod query;
mod rdata;

pub use labels::{
    check_name, is_at_or_below, labels, name_of_text, order, put_name, NameError, TextError,
};
pub use message::{parse_options, Malformed, Message, RecordView};
pub use name::{name_length, read_name, Fault, Reason, MAX_NAME_OCTETS, MAX_POINTERS};
pub use query::{compose_query, ComposeError, Edns};
pub use rdata::type_bitmap;

pub(crate) use name::label_count;
pub(crate) use rdata::{layout, name_spans};

/// Octets of the header (RFC 1035 section 4.1.1).
pub const HEADER_OCTETS: usize = 12;

/// Most octets of a message: its length is a 16-bit number where it is told (RFC 1035 section 4.2.2).
pub const MAX_MESSAGE_OCTETS: usize = 65_535;

/// The 16-bit number at `at`, in network order.
pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..at.checked_add(2)?)?;
    pair.try_into().ok().map(u16::from_be_bytes)
}

/// The 32-bit number at `at`, in network order.
pub(crate) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    let four = octets.get(at..at.checked_add(4)?)?;
    four.try_into().ok().map(u32::from_be_bytes)
}
