//! A zone file in pieces: read, judged, compared with itself; what is printed of it reads as the same zone.
#![no_main]

use gnomon_core::zonefile::{audit, type_name, DiffCursor, Parser, Zone, ZoneBuilder};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_800_000_000;

fn read(text: &[u8], piece: usize) -> (Zone, usize) {
    let mut zone = ZoneBuilder::default();
    let mut parser = Parser::new(Some(b"\x02ex\x00"), true);
    let mut included = 0;
    let mut pieces = text.chunks(piece);
    loop {
        // Every other $INCLUDE is followed, and has a few lines that change everything they can.
        if parser.include().is_some() {
            included += 1;
            if included % 2 == 0 || included > 10 {
                parser.refuse("no".to_owned());
            } else {
                parser.enter();
                parser.feed(
                    b"$ORIGIN x.\n$TTL 7\nin A 192.0.2.1\n $INCLUDE y",
                    &mut |record| zone.push(record),
                );
                parser.end(&mut |record| zone.push(record));
            }
            parser.feed(b"", &mut |record| zone.push(record));
        } else if let Some(octets) = pieces.next() {
            parser.feed(octets, &mut |record| zone.push(record));
        } else {
            parser.end(&mut |record| zone.push(record));
            if parser.include().is_none() {
                break;
            }
        }
    }
    (zone.finish(None), parser.faults().len())
}

fn printed(zone: &Zone) -> String {
    let mut text = String::new();
    for d in DiffCursor::default().take(&Zone::default(), zone, usize::MAX) {
        let rtype = type_name(d.rtype);
        text += &format!("{} {} IN {rtype} {}\n", d.owner, d.ttl_s, d.rdata);
    }
    text
}

fuzz_target!(|octets: &[u8]| {
    let Some((&piece, text)) = octets.split_first() else {
        return;
    };
    let (zone, _) = read(text, usize::from(piece).max(1));
    let whole = printed(&zone);
    assert_eq!(whole, printed(&read(text, 1 << 20).0));
    let (again, faults) = read(whole.as_bytes(), 1 << 20);
    assert_eq!((faults, printed(&again)), (0, whole));
    let judged = audit(&zone, NOW, 1);
    assert_eq!(judged.records, zone.records() as u64);
    assert!(DiffCursor::default().take(&zone, &zone, 1).is_empty());
});
