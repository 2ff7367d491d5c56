//! The index of a message: header, questions, records and OPT records, read in one pass (RFC 1035 section 4.1).

use super::name::{read_name, Fault, Reason};
use super::rdata::{decompress, layout};
use super::{u16_at, u32_at, HEADER_OCTETS};
use std::ops::Range;

const TYPE_OPT: u16 = 41;
const CLASS_NONE: u16 = 254;
const CLASS_ANY: u16 = 255;

/// The first part of a message that could not be read; what came before it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Octets from the start of the message.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
    /// 0 question (and header), 1 answer, 2 authority, 3 additional.
    pub section: u8,
}

/// One question (RFC 1035 section 4.1.2). Its name is in the message's arena.
#[derive(Clone, Debug)]
pub struct Question {
    name: Range<usize>,
    qtype: u16,
    qclass: u16,
}

/// One record (RFC 1035 section 4.1.3). Its octets are in the message's arena.
#[derive(Clone, Debug)]
pub struct Record {
    owner: Range<usize>,
    rtype: u16,
    rclass: u16,
    ttl: u32,
    rdata: Range<usize>,
}

/// One record with its octets: owner and rdata without compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Owner name, case kept.
    pub owner: &'a [u8],
    /// Type.
    pub rtype: u16,
    /// Class.
    pub rclass: u16,
    /// Time to live in seconds, as it came.
    pub ttl: u32,
    /// Record data.
    pub rdata: &'a [u8],
}

/// One OPT record (RFC 6891 section 6.1.2): the class is the UDP size in octets, the TTL field holds the upper
/// rcode bits, the version and the flags.
pub type Opt<'a> = RecordView<'a>;

/// A message as far as it can be read.
#[derive(Clone, Debug, Default)]
pub struct Message {
    id: u16,
    flags: u16,
    counts: [u16; 4],
    questions: Vec<Question>,
    sections: [Vec<Record>; 3],
    opts: Vec<Record>,
    malformed: Option<Malformed>,
    trailing: usize,
    arena: Vec<u8>,
}

impl Message {
    /// Read `wire` up to its end or its first fault. Room is never reserved from the counts of the header.
    #[must_use]
    pub fn parse(wire: &[u8]) -> Self {
        let mut message = Self::default();
        let header: Option<[u16; 6]> = (|| {
            let mut words = [0; 6];
            for (at, word) in (0..HEADER_OCTETS).step_by(2).zip(words.iter_mut()) {
                *word = u16_at(wire, at)?;
            }
            Some(words)
        })();
        let Some([id, flags, qd, an, ns, ar]) = header else {
            message.malformed = Some(Malformed {
                offset: 0,
                reason: Reason::ShortHeader,
                section: 0,
            });
            return message;
        };
        message.id = id;
        message.flags = flags;
        message.counts = [qd, an, ns, ar];
        message.arena.reserve(wire.len());
        match message.read_body(wire) {
            Ok(end) => message.trailing = wire.len().saturating_sub(end),
            Err(malformed) => message.malformed = Some(malformed),
        }
        message
    }

    /// A message of which nothing could be read, for callers that must not fail.
    #[must_use]
    pub fn unreadable(reason: Reason) -> Self {
        Self {
            malformed: Some(Malformed {
                offset: 0,
                reason,
                section: 0,
            }),
            ..Self::default()
        }
    }

    fn read_body(&mut self, wire: &[u8]) -> Result<usize, Malformed> {
        let mut at = HEADER_OCTETS;
        let counts = self.counts;
        for (section, count) in (0u8..).zip(counts) {
            for _ in 0..count {
                let read = if section == 0 {
                    self.read_question(wire, at)
                } else {
                    self.read_record(wire, at, section)
                };
                at = read.map_err(|Fault { offset, reason }| Malformed {
                    offset,
                    reason,
                    section,
                })?;
            }
        }
        Ok(at)
    }

    fn read_question(&mut self, wire: &[u8], at: usize) -> Result<usize, Fault> {
        let (name, at) = self.name(wire, at, Reason::ShortQuestion)?;
        let short = Fault::new(at, Reason::ShortQuestion);
        let qtype = u16_at(wire, at).ok_or(short)?;
        let qclass = u16_at(wire, at + 2).ok_or(short)?;
        self.questions.push(Question {
            name,
            qtype,
            qclass,
        });
        Ok(at + 4)
    }

    fn read_record(&mut self, wire: &[u8], at: usize, section: u8) -> Result<usize, Fault> {
        let (owner, at) = self.name(wire, at, Reason::ShortRecord)?;
        let short = Fault::new(at, Reason::ShortRecord);
        let rtype = u16_at(wire, at).ok_or(short)?;
        let rclass = u16_at(wire, at + 2).ok_or(short)?;
        let ttl = u32_at(wire, at + 4).ok_or(short)?;
        let length = u16_at(wire, at + 8).ok_or(short)?;
        let start = at + 10;
        let end = start + usize::from(length);
        let octets = wire
            .get(start..end)
            .ok_or(Fault::new(start, Reason::ShortRdata))?;
        let first = self.arena.len();
        // Updates name RRsets without data by the classes ANY and NONE (RFC 2136 sections 2.4 and 2.5).
        let bare = octets.is_empty() && matches!(rclass, CLASS_ANY | CLASS_NONE);
        match layout(rtype) {
            Some(fields) if !bare => decompress(wire, start..end, fields, &mut self.arena)?,
            _ => self.arena.extend_from_slice(octets),
        }
        let record = Record {
            owner,
            rtype,
            rclass,
            ttl,
            rdata: first..self.arena.len(),
        };
        if rtype == TYPE_OPT {
            self.opts.push(record);
        } else if let Some(records) = usize::from(section)
            .checked_sub(1)
            .and_then(|i| self.sections.get_mut(i))
        {
            records.push(record);
        }
        Ok(end)
    }

    fn name(
        &mut self,
        wire: &[u8],
        at: usize,
        short: Reason,
    ) -> Result<(Range<usize>, usize), Fault> {
        if at >= wire.len() {
            return Err(Fault::new(at, short));
        }
        let first = self.arena.len();
        let end = read_name(wire, at, wire.len(), &mut self.arena)?;
        Ok((first..self.arena.len(), end))
    }

    /// The message ID.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// The 16 bits after the ID, as they came.
    #[must_use]
    pub const fn flags(&self) -> u16 {
        self.flags
    }

    /// QDCOUNT, ANCOUNT, NSCOUNT and ARCOUNT as the header claims them.
    #[must_use]
    pub const fn counts(&self) -> [u16; 4] {
        self.counts
    }

    /// (name, type, class) of each readable question.
    pub fn questions(&self) -> impl ExactSizeIterator<Item = (&[u8], u16, u16)> {
        self.questions
            .iter()
            .map(|q| (self.octets(&q.name), q.qtype, q.qclass))
    }

    /// The readable records of section 1 answer, 2 authority or 3 additional, OPT left out; None: no such section.
    #[must_use]
    pub fn section(&self, section: usize) -> Option<impl ExactSizeIterator<Item = RecordView<'_>>> {
        let records = self.sections.get(section.checked_sub(1)?)?;
        Some(records.iter().map(|record| self.view(record)))
    }

    /// Each OPT record, wherever it stood and whatever its owner.
    pub fn opts(&self) -> impl ExactSizeIterator<Item = Opt<'_>> {
        self.opts.iter().map(|record| self.view(record))
    }

    /// The first part that could not be read.
    #[must_use]
    pub const fn malformed(&self) -> Option<Malformed> {
        self.malformed
    }

    /// Octets after the last record that the header counts; 0 if the message is malformed.
    #[must_use]
    pub const fn trailing_octets(&self) -> usize {
        self.trailing
    }

    fn view(&self, record: &Record) -> RecordView<'_> {
        RecordView {
            owner: self.octets(&record.owner),
            rtype: record.rtype,
            rclass: record.rclass,
            ttl: record.ttl,
            rdata: self.octets(&record.rdata),
        }
    }

    fn octets(&self, span: &Range<usize>) -> &[u8] {
        self.arena.get(span.clone()).unwrap_or_default()
    }
}

/// The EDNS options (code, data) of an OPT rdata, and whether all of it could be read (RFC 6891 section 6.1.2).
#[must_use]
pub fn parse_options(rdata: &[u8]) -> (Vec<(u16, &[u8])>, bool) {
    let mut options = Vec::new();
    let mut at = 0;
    while at < rdata.len() {
        let (Some(code), Some(length)) = (u16_at(rdata, at), u16_at(rdata, at + 2)) else {
            return (options, false);
        };
        let next = at + 4 + usize::from(length);
        let Some(data) = rdata.get(at + 4..next) else {
            return (options, false);
        };
        options.push((code, data));
        at = next;
    }
    (options, true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
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
}
