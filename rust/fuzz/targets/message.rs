//! A whole message: every part is touched, and what is said of it must be within its octets.
#![no_main]

use gnomon_core::wire::{parse_options, Message, MAX_NAME_OCTETS};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let message = Message::parse(octets);
    let counts = message.counts().map(usize::from);
    let mut records = 0;
    for section in 1..=3 {
        for record in message.section(section).expect("three sections") {
            assert!(record.owner.len() <= MAX_NAME_OCTETS);
            records += 1;
        }
    }
    for opt in message.opts() {
        let (options, complete) = parse_options(opt.rdata);
        let read: usize = options.iter().map(|(_, data)| data.len() + 4).sum();
        assert_eq!(read == opt.rdata.len(), complete);
        records += 1;
    }
    assert!(message.questions().len() <= counts[0]);
    assert!(records <= counts[1] + counts[2] + counts[3]);
    match message.malformed() {
        Some(malformed) => assert!(malformed.offset <= octets.len() && malformed.section < 4),
        None => {
            assert_eq!(message.questions().len(), counts[0]);
            assert_eq!(records, counts[1] + counts[2] + counts[3]);
        }
    }
});
