//! A name anywhere in some octets: it ends after where it began, and what comes out is a name that reads back from its
//! text. Octets that are no name, and any text, have an answer too.
#![no_main]

use gnomon_core::dnssec::nsec3_hash;
use gnomon_core::wire::{
    check_name, compose_query, is_at_or_below, labels, name_of_text, order, put_name, read_name,
};
use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;

fuzz_target!(|octets: &[u8]| {
    for at in [0, octets.len() / 2] {
        let mut name = Vec::new();
        if let Ok(end) = read_name(octets, at, octets.len(), &mut name) {
            assert!(end > at && end <= octets.len());
            assert!(check_name(&name).is_ok());
            let mut text = String::new();
            put_name(&name, &mut text);
            assert_eq!(name_of_text(text.as_bytes()).as_ref(), Ok(&name));
            assert!(compose_query(&name, 1, 1, 0, None).is_ok());
            assert_eq!(
                nsec3_hash(&name, 1, 1, b"").map(|hash| hash.len()),
                Some(20)
            );
        }
    }
    let (one, other) = octets.split_at(octets.len() / 2);
    assert_eq!(order(one, other), order(other, one).reverse());
    assert_eq!(order(one, one), Ordering::Equal);
    assert!(is_at_or_below(one, one) && labels(one).count() <= one.len());
    let _ = (is_at_or_below(one, other), check_name(octets));
    if let Ok(name) = name_of_text(octets) {
        assert!(check_name(&name).is_ok());
    }
});
