//! A name anywhere in some octets: it ends after where it began, and what comes out is a name.
#![no_main]

use gnomon_core::dnssec::nsec3_hash;
use gnomon_core::wire::{compose_query, read_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    for at in [0, octets.len() / 2] {
        let mut name = Vec::new();
        if let Ok(end) = read_name(octets, at, octets.len(), &mut name) {
            assert!(end > at && end <= octets.len());
            assert!(compose_query(&name, 1, 1, 0, None).is_ok());
            assert_eq!(
                nsec3_hash(&name, 1, 1, b"").map(|hash| hash.len()),
                Some(20)
            );
        }
    }
});
