//! What the engine looks at before it takes a datagram for an answer.
#![no_main]

use gnomon_core::engine::{answers, question_name_end};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&at, rest)) = octets.split_first() else {
        return;
    };
    let (query, response) = rest.split_at(usize::from(at).min(rest.len()));
    let end = question_name_end(query);
    if let Some(end) = end {
        assert!(end + 4 <= query.len());
    }
    if answers(query, end, response) {
        assert!(response.len() >= 12 && response[..2] == query[..2]);
    }
    let mut echo = query.to_vec();
    if let Some(flags) = echo.get_mut(2) {
        *flags |= 0x80;
    }
    assert_eq!(answers(query, end, &echo), query.len() >= 12);
});
