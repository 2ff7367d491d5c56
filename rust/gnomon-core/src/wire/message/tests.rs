use super::*;

fn header(counts: [u16; 4]) -> Vec<u8> {
    let mut out = vec![0x12, 0x34, 0x84, 0x00];
    out.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    out
}

fn record(owner: &[u8], rtype: u16, rclass: u16, rdata: &[u8]) -> Vec<u8> {
    let mut out = owner.to_vec();
    out.extend_from_slice(&rtype.to_be_bytes());
    out.extend_from_slice(&rclass.to_be_bytes());
    out.extend_from_slice(&300u32.to_be_bytes());
    out.extend_from_slice(&u16::try_from(rdata.len()).unwrap().to_be_bytes());
    out.extend_from_slice(rdata);
    out
}

fn malformed(wire: &[u8]) -> (usize, Reason, u8) {
    let found = Message::parse(wire).malformed().unwrap();
    (found.offset, found.reason, found.section)
}

fn answers(message: &Message) -> Vec<RecordView<'_>> {
    message.section(1).unwrap().collect()
}

const QUESTION: &[u8] = b"\x01A\x00\x00\x02\x00\x01";

#[test]
fn a_whole_message() {
    let mut wire = header([1, 1, 0, 1]);
    wire.extend_from_slice(QUESTION);
    wire.extend(record(b"\xc0\x0c", 2, 1, b"\x02ns\xc0\x0c"));
    wire.extend(record(b"\x00", 41, 1232, b"\x00\x03\x00\x00"));
    wire.extend_from_slice(b"tail");
    let message = Message::parse(&wire);
    assert_eq!(
        (message.id(), message.flags(), message.counts()),
        (0x1234, 0x8400, [1, 1, 0, 1])
    );
    assert_eq!(
        message.questions().collect::<Vec<_>>(),
        [(&b"\x01A\x00"[..], 2, 1)]
    );
    let ns = RecordView {
        owner: b"\x01A\x00",
        rtype: 2,
        rclass: 1,
        ttl: 300,
        rdata: b"\x02ns\x01A\x00",
    };
    assert_eq!(answers(&message), [ns]);
    assert_eq!(message.compressed_types(), [2]);
    assert_eq!(message.section(3).unwrap().len(), 0);
    assert_eq!(
        message
            .opts()
            .map(|opt| (opt.rclass, opt.rdata.len()))
            .collect::<Vec<_>>(),
        [(1232, 4)]
    );
    assert_eq!((message.malformed(), message.trailing_octets()), (None, 4));
    assert!(message.section(0).is_none() && message.section(4).is_none());
}

#[test]
fn opt_counts_wherever_it_stands() {
    let mut wire = header([0, 1, 1, 2]);
    wire.extend(record(b"\x01x\x00", 41, 512, b""));
    wire.extend(record(b"\x00", 41, 4096, b""));
    wire.extend(record(b"\x00", 1, 1, b"\x01\x02\x03\x04"));
    wire.extend(record(b"\x00", 41, 1232, b""));
    let message = Message::parse(&wire);
    assert_eq!(
        message.opts().map(|opt| opt.rclass).collect::<Vec<_>>(),
        [512, 4096, 1232]
    );
    assert_eq!(message.opts().next().unwrap().owner, b"\x01x\x00");
    assert_eq!(answers(&message), []);
    assert_eq!(message.section(3).unwrap().len(), 1);
}

#[test]
fn what_came_before_a_fault_is_kept() {
    let mut wire = header([1, 3, 0, 0]);
    wire.extend_from_slice(QUESTION);
    wire.extend(record(b"\xc0\x0c", 1, 1, b"\x01\x02\x03\x04"));
    let at = wire.len();
    wire.extend(record(b"\xc0\x0c", 15, 1, b"\x00\x01\xc0\x0cxx"));
    wire.extend(record(b"\xc0\x0c", 1, 1, b"\x01\x02\x03\x04"));
    let message = Message::parse(&wire);
    assert_eq!(answers(&message).len(), 1);
    assert_eq!(malformed(&wire), (at + 12, Reason::BadRdata, 1));
    assert_eq!(message.trailing_octets(), 0);
}

#[test]
fn each_reason_has_its_place() {
    assert_eq!(
        malformed(&header([0; 4])[..11]),
        (0, Reason::ShortHeader, 0)
    );
    assert_eq!(
        malformed(&header([1, 0, 0, 0])),
        (12, Reason::ShortQuestion, 0)
    );
    assert_eq!(
        malformed(&[header([1, 0, 0, 0]), vec![0, 0]].concat()),
        (13, Reason::ShortQuestion, 0)
    );
    assert_eq!(
        malformed(&[header([0, 0, 1, 0]), vec![0, 0]].concat()),
        (13, Reason::ShortRecord, 2)
    );
    assert_eq!(
        malformed(&[header([0, 0, 0, 1]), vec![5, 0]].concat()),
        (12, Reason::ShortName, 3)
    );
    assert_eq!(
        malformed(&[header([0, 1, 0, 0]), vec![192, 12]].concat()),
        (12, Reason::PointerLoop, 1)
    );
    let mut short = [header([0, 1, 0, 0]), record(b"\x00", 1, 1, b"1234")].concat();
    short.pop();
    assert_eq!(malformed(&short), (23, Reason::ShortRdata, 1));
    let far = [header([0, 1, 0, 0]), record(b"\x00", 2, 1, b"\xff\xff")].concat();
    assert_eq!(malformed(&far), (23, Reason::PointerForward, 1));
}

#[test]
fn claimed_counts_cost_nothing() {
    let message = Message::parse(&header([65535; 4]));
    assert_eq!(message.malformed().unwrap().offset, 12);
    assert!(message.questions.capacity() == 0 && message.arena.capacity() < 100);
}

#[test]
fn updates_name_rrsets_without_data() {
    let wire = [header([0, 1, 0, 0]), record(b"\x00", 2, 255, b"")].concat();
    assert_eq!(Message::parse(&wire).malformed(), None);
}

#[test]
fn the_worst_message_stays_small() {
    // A name of 255 octets, then as many records as fit whose owner and data are pointers to it.
    let mut wire = header([0, 65535, 0, 0]);
    let long = [b"\x01a".repeat(127), vec![0]].concat();
    wire.extend(record(b"\x00", 999, 1, &long));
    let pointing = record(&[192, 23], 14, 1, &[192, 23, 192, 23]);
    while wire.len() + pointing.len() <= 65535 {
        wire.extend_from_slice(&pointing);
    }
    let message = Message::parse(&wire);
    assert!(message.section(1).unwrap().len() > 4000);
    assert!(message.arena.len() < 50 * wire.len());
}

#[test]
fn any_octets_and_any_change_are_read_without_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut good = header([1, 2, 0, 1]);
    good.extend_from_slice(QUESTION);
    good.extend(record(
        b"\xc0\x0c",
        6,
        1,
        &[b"\xc0\x0c\xc0\x0c".to_vec(), vec![0; 20]].concat(),
    ));
    good.extend(record(
        b"\xc0\x0c",
        35,
        1,
        b"\x00\x01\x00\x01\x01u\x01s\x00\xc0\x0c",
    ));
    good.extend(record(b"\x00", 41, 1232, b"\x00\x0a\x00\x02ab"));
    for _ in 0..20_000 {
        let mut wire = good.clone();
        for _ in 0..=random() % 4 {
            let at = usize::try_from(random()).unwrap() % wire.len();
            wire[at] = random().to_le_bytes()[0];
        }
        wire.truncate(usize::try_from(random()).unwrap() % (2 * wire.len()));
        let message = Message::parse(&wire);
        for record in (1..4).flat_map(|section| message.section(section).unwrap()) {
            assert!(!record.owner.is_empty() && record.owner.len() <= 255);
        }
        for opt in message.opts() {
            let _ = parse_options(opt.rdata);
        }
        let noise: Vec<u8> = (0..random() % 80)
            .map(|_| random().to_le_bytes()[0])
            .collect();
        let _ = (Message::parse(&noise), parse_options(&noise));
    }
}

#[test]
fn options_up_to_the_fault() {
    assert_eq!(parse_options(b""), (vec![], true));
    assert_eq!(
        parse_options(b"\x00\x03\x00\x01x"),
        (vec![(3, &b"x"[..])], true)
    );
    assert_eq!(
        parse_options(b"\x00\x03\x00\x00\x00\x0a\x00\x05x"),
        (vec![(3, &b""[..])], false)
    );
    assert_eq!(parse_options(b"\x00\x03\x00"), (vec![], false));
}
