//! Options read from some octets, composed into a query, and read again from that.
#![no_main]

use gnomon_core::wire::{compose_query, parse_options, Edns, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let (options, _) = parse_options(octets);
    let edns = Edns {
        version: octets.len().to_le_bytes()[0],
        udp_size: 1232,
        flags: 0x8000,
        options,
    };
    let Ok(query) = compose_query(b"\x00", 2, 1, 0, Some(&edns)) else {
        assert!(octets.len() > 65_500);
        return;
    };
    let message = Message::parse(&query);
    let opt = message.opts().next().expect("one OPT record");
    assert_eq!(parse_options(opt.rdata), (edns.options, true));
});
