//! Record data of any type: printed, it reads as the same data; its canonical form has a fixed point.
#![no_main]

use gnomon_core::dnssec::{canonical_rdata, canonical_rdatas, ds_digest, key_tag};
use gnomon_core::zonefile::{put_rdata, type_name, Parser};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Some((&[high, low], rdata)) = octets.split_first_chunk() else {
        return;
    };
    let rtype = u16::from_be_bytes([high, low]);
    let canonical = canonical_rdata(rtype, rdata);
    assert_eq!(canonical.len(), rdata.len());
    assert_eq!(canonical_rdatas(rtype, &[rdata, &canonical]).len(), 1);
    assert_eq!(canonical_rdata(rtype, &canonical), canonical);
    let _ = (key_tag(rdata), ds_digest(b"\x00", rdata, high));

    // Types that are no data have no place in a zone.
    if matches!(rtype, 0 | 41 | 128..=255) {
        return;
    }
    let mut text = format!(". 1 IN {} ", type_name(rtype));
    put_rdata(rtype, rdata, &mut text);
    text.push('\n');
    let mut again = Vec::new();
    let mut parser = Parser::new(None, false);
    let mut sink = |record: &gnomon_core::zonefile::Record<'_>| {
        again.extend_from_slice(record.rdata);
        Ok(())
    };
    parser.feed(text.as_bytes(), &mut sink);
    parser.end(&mut sink);
    if parser.faults().is_empty() {
        assert_eq!(again, rdata, "{text}");
    } else {
        // Octets that are no data of their type are printed as octets, and refused as such.
        assert!(text.contains(" \\# "), "{text}{:?}", parser.faults());
    }
});
