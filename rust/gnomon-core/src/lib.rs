//! The native core of Gnomon: mechanisms, no policy.
//!
//! * `wire`: names, messages and queries. Bytes in, values out; a malformed part is a value, never a panic.
//! * `dnssec`: signed data, signature verification, digests and key tags.
//! * `zonefile`: master files of any size, read and audited.
//! * `evidence`: rows of recorded exchanges, their hashes and their order.
//! * `engine`: sockets, matching, timeouts and per-address limits. The only module that reads a clock.
//! * `special`: addresses that no public name server can have.

pub mod dnssec;
pub mod engine;
pub mod evidence;
pub mod special;
pub mod wire;
pub mod zonefile;
