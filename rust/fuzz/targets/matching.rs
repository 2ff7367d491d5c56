//! What the engine looks at before it takes a datagram for an answer.
#![no_main]

use gnomon_core::engine::Expected;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&at, rest)) = octets.split_first() else {
        return;
    };
    let (query, response) = rest.split_at(usize::from(at).min(rest.len()));
    let expected = Expected::new(query, true);
    if let Some(end) = expected.name_end {
        assert!(end + 4 <= query.len());
    }
    for on_path in [false, true] {
        if expected.mismatch(query, response, on_path).is_none() {
            assert!(response.len() >= 12 && response[..2] == query[..2]);
        }
    }
    let mut echo = query.to_vec();
    if let Some(flags) = echo.get_mut(2) {
        *flags |= 0x80;
    }
    let echoed = expected.mismatch(query, &echo, false).is_none();
    assert_eq!(echoed, query.len() >= 12);
});
