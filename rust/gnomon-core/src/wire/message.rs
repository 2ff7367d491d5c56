//! The index of a message: header, questions, records and OPT records, read in one pass (RFC 1035 section 4.1).

use super::name::{read_name, Fault, Reason};
use super::rdata::{decompress, layout};
use super::{u16_at, u32_at, HEADER_OCTETS, MAX_MESSAGE_OCTETS};
use std::ops::Range;

const TYPE_OPT: u16 = 41;
const CLASS_NONE: u16 = 254;
const CLASS_ANY: u16 = 255;

/// Octets of a record whose owner is the root, without data.
const MIN_RECORD_OCTETS: usize = 11;

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
struct Question {
    name: Range<usize>,
    qtype: u16,
    qclass: u16,
}

/// One record (RFC 1035 section 4.1.3). Its octets are in the message's arena.
#[derive(Clone, Debug)]
struct Record {
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
    compressed: Vec<u16>,
    arena: Vec<u8>,
}

impl Message {
    /// Read `wire` up to its end or its first fault. The counts of the header reserve no more
    /// room than there are octets for.
    ///
    /// No message has more than [`MAX_MESSAGE_OCTETS`]: what is beyond belongs to none and only counts as trailing.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Self {
        let wire = octets.get(..MAX_MESSAGE_OCTETS).unwrap_or(octets);
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
        // Names and rdata without compression are mostly not twice as long.
        message.arena.reserve(wire.len() * 2);
        match message.read_body(wire) {
            Ok(end) => message.trailing = octets.len().saturating_sub(end),
            Err(malformed) => message.malformed = Some(malformed),
        }
        message.arena.shrink_to_fit();
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
            let most = wire.len().saturating_sub(at) / MIN_RECORD_OCTETS;
            if let Some(records) = self.section_mut(section) {
                records.reserve_exact(most.min(usize::from(count)));
            }
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
        if self.arena.len() - first > octets.len() && !self.compressed.contains(&rtype) {
            self.compressed.push(rtype);
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
        } else if let Some(records) = self.section_mut(section) {
            records.push(record);
        }
        Ok(end)
    }

    fn section_mut(&mut self, section: u8) -> Option<&mut Vec<Record>> {
        self.sections.get_mut(usize::from(section).checked_sub(1)?)
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

    /// Each OPT record, wherever it stood and whatever its owner (RFC 6891 section 6.1.2): the class is the UDP size
    /// in octets, the TTL field holds the upper rcode bits, the version and the flags.
    pub fn opts(&self) -> impl ExactSizeIterator<Item = RecordView<'_>> {
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

    /// The types of the records whose data hold a compressed name, each once: of those types that are read without.
    #[must_use]
    pub fn compressed_types(&self) -> &[u16] {
        &self.compressed
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
mod tests;
