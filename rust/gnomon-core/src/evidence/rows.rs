//! The rows of a row group or a segment, column by column.

use std::cmp::Ordering;
use std::ops::Range;

use ring::digest::{digest, SHA256};
use rustc_hash::FxHashMap;

use super::merkle::finished;

const ROW_VERSION: u8 = 1;
const HAS_NAME: u8 = 1;
const HAS_RTT: u8 = 2;
const HAS_RESPONSE: u8 = 4;

/// Octets of a leaf hash.
pub const LEAF_OCTETS: usize = 32;

/// A column of text: each row is an index into the different words, or has none.
#[derive(Debug, Default)]
pub struct Text {
    pub indices: Vec<Option<u32>>,
    pub words: Vec<String>,
}

/// A column of octets: row `n` is `data[ends[n]..ends[n + 1]]` if it is present.
#[derive(Debug, Default)]
pub struct Octets {
    /// One more than rows.
    pub ends: Vec<i32>,
    pub data: Vec<u8>,
    pub present: Vec<bool>,
}

/// Why rows cannot be used: what is wrong, and with which column.
pub type Fault = &'static str;

/// All columns have the same number of rows, and every index and offset is inside its column: `check` says so.
#[derive(Debug, Default)]
pub struct Rows {
    pub subject: Text,
    pub address: Text,
    pub ask: Text,
    pub server_name: Text,
    pub vantage: Text,
    pub attempt: Vec<u16>,
    pub seq: Vec<i64>,
    pub port: Vec<u16>,
    pub transport: Vec<u8>,
    pub sent_at_ns: Vec<i64>,
    pub rtt_us: Vec<Option<u32>>,
    pub local_port: Vec<u16>,
    pub status: Vec<u8>,
    pub os_error: Vec<i32>,
    pub query: Octets,
    pub response: Octets,
}

/// One exchange to be stored. Equal texts are best the same `str`: then they are looked at once.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    pub subject: &'a str,
    pub address: &'a str,
    pub ask: &'a str,
    pub server_name: Option<&'a str>,
    pub vantage: &'a str,
    pub attempt: u16,
    pub seq: i64,
    pub port: u16,
    pub transport: u8,
    pub sent_at_ns: i64,
    pub rtt_us: Option<u32>,
    pub local_port: u16,
    pub status: u8,
    pub os_error: i32,
    pub query: &'a [u8],
    pub response: Option<&'a [u8]>,
}

impl Rows {
    /// Exchanges in the order of a segment: subject, address, ask, attempt, seq. Texts compare by their octets.
    pub fn in_order(exchanges: &[Recorded<'_>]) -> Result<Self, Fault> {
        let subject = Text::of(exchanges.iter().map(|row| Some(row.subject)));
        let address = Text::of(exchanges.iter().map(|row| Some(row.address)));
        let ask = Text::of(exchanges.iter().map(|row| Some(row.ask)));
        // The words are sorted, so indices compare as their words do.
        let mut order: Vec<_> = exchanges
            .iter()
            .zip(
                subject
                    .indices
                    .iter()
                    .zip(&address.indices)
                    .zip(&ask.indices),
            )
            .map(|(row, ((subject, address), ask))| {
                (subject, address, ask, row.attempt, row.seq, row)
            })
            .collect();
        order.sort_unstable_by(|a, b| (a.0, a.1, a.2, a.3, a.4).cmp(&(b.0, b.1, b.2, b.3, b.4)));
        let rows = || order.iter().map(|(.., row)| *row);
        Ok(Self {
            server_name: Text::of(rows().map(|row| row.server_name)),
            vantage: Text::of(rows().map(|row| Some(row.vantage))),
            attempt: rows().map(|row| row.attempt).collect(),
            seq: rows().map(|row| row.seq).collect(),
            port: rows().map(|row| row.port).collect(),
            transport: rows().map(|row| row.transport).collect(),
            sent_at_ns: rows().map(|row| row.sent_at_ns).collect(),
            rtt_us: rows().map(|row| row.rtt_us).collect(),
            local_port: rows().map(|row| row.local_port).collect(),
            status: rows().map(|row| row.status).collect(),
            os_error: rows().map(|row| row.os_error).collect(),
            query: Octets::of(rows().map(|row| Some(row.query)))?,
            response: Octets::of(rows().map(|row| row.response))?,
            subject: Text {
                indices: order.iter().map(|row| *row.0).collect(),
                words: subject.words.clone(),
            },
            address: Text {
                indices: order.iter().map(|row| *row.1).collect(),
                words: address.words.clone(),
            },
            ask: Text {
                indices: order.iter().map(|row| *row.2).collect(),
                words: ask.words.clone(),
            },
        })
    }

    /// The rows from `first` on, at most `count`, with no more words than they use.
    pub fn slice(&self, first: usize, count: usize) -> Self {
        let rows = first.min(self.len())..first.saturating_add(count).min(self.len());
        Self {
            subject: self.subject.slice(rows.clone()),
            address: self.address.slice(rows.clone()),
            ask: self.ask.slice(rows.clone()),
            server_name: self.server_name.slice(rows.clone()),
            vantage: self.vantage.slice(rows.clone()),
            attempt: part(&self.attempt, rows.clone()),
            seq: part(&self.seq, rows.clone()),
            port: part(&self.port, rows.clone()),
            transport: part(&self.transport, rows.clone()),
            sent_at_ns: part(&self.sent_at_ns, rows.clone()),
            rtt_us: part(&self.rtt_us, rows.clone()),
            local_port: part(&self.local_port, rows.clone()),
            status: part(&self.status, rows.clone()),
            os_error: part(&self.os_error, rows.clone()),
            query: self.query.slice(rows.clone()),
            response: self.response.slice(rows),
        }
    }

    pub fn len(&self) -> usize {
        self.seq.len()
    }

    pub fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }

    /// Refuse columns that do not belong together, as those of a damaged file.
    pub fn check(&self) -> Result<(), Fault> {
        let rows = self.len();
        let fixed = [
            self.attempt.len(),
            self.port.len(),
            self.transport.len(),
            self.sent_at_ns.len(),
            self.rtt_us.len(),
            self.local_port.len(),
            self.status.len(),
            self.os_error.len(),
        ];
        if fixed.iter().any(|length| *length != rows) {
            return Err("the columns have different numbers of rows");
        }
        self.query.check(rows)?;
        self.response.check(rows)?;
        for (text, may_be_absent) in [
            (&self.subject, false),
            (&self.address, false),
            (&self.ask, false),
            (&self.vantage, false),
            (&self.server_name, true),
        ] {
            text.check(rows, may_be_absent)?;
        }
        if !self.query.present.iter().all(|present| *present) {
            return Err("a query is absent");
        }
        Ok(())
    }

    /// SHA-256(0x00 || canonical row) of each row, in order.
    pub fn leaves(&self) -> impl Iterator<Item = [u8; LEAF_OCTETS]> + '_ {
        let mut row_octets = Vec::new();
        (0..self.len()).map(move |row| {
            row_octets.clear();
            // One stretch of octets is hashed far faster than the same in parts.
            match self.put(row, &mut row_octets) {
                Some(()) => finished(digest(&SHA256, &row_octets)),
                None => [0; LEAF_OCTETS],
            }
        })
    }

    /// Append 0x00 and the canonical row.
    fn put(&self, row: usize, out: &mut Vec<u8>) -> Option<()> {
        let name = self.server_name.word(row);
        let rtt = *self.rtt_us.get(row)?;
        let response = self.response.get(row);
        let parts: [&[u8]; 7] = [
            self.subject.word(row)?.as_bytes(),
            self.address.word(row)?.as_bytes(),
            self.ask.word(row)?.as_bytes(),
            name.unwrap_or_default().as_bytes(),
            self.vantage.word(row)?.as_bytes(),
            self.query.get(row)?,
            response.unwrap_or_default(),
        ];
        let bits = [
            (name.is_some(), HAS_NAME),
            (rtt.is_some(), HAS_RTT),
            (response.is_some(), HAS_RESPONSE),
        ];
        let present: u8 = bits.iter().map(|(is, bit)| u8::from(*is) * bit).sum();
        out.extend([0, ROW_VERSION, present]);
        out.extend(self.seq.get(row)?.to_be_bytes());
        out.extend(self.sent_at_ns.get(row)?.to_be_bytes());
        out.extend(rtt.unwrap_or_default().to_be_bytes());
        out.extend(self.port.get(row)?.to_be_bytes());
        out.extend(self.local_port.get(row)?.to_be_bytes());
        out.extend(self.attempt.get(row)?.to_be_bytes());
        out.extend([*self.transport.get(row)?, *self.status.get(row)?]);
        out.extend(self.os_error.get(row)?.to_be_bytes());
        for part in parts {
            out.extend((part.len() as u32).to_be_bytes());
        }
        for part in parts {
            out.extend_from_slice(part);
        }
        Some(())
    }

    /// The subjects as they come, each with the number of its rows that follow one another.
    pub fn subjects(&self) -> Vec<(&str, usize)> {
        let indices = &self.subject.indices;
        indices
            .chunk_by(|one, two| one == two)
            .filter_map(|run| {
                let word = self.subject.words.get((*run.first()?)? as usize)?;
                Some((word.as_str(), run.len()))
            })
            .collect()
    }

    /// The rows that sort before the row above them; `before` are the rows above the first one.
    pub fn out_of_order(&self, before: Option<&Self>) -> Vec<usize> {
        let last = before.and_then(|above| above.key(above.len().checked_sub(1)?));
        let mut above = last;
        let mut found = Vec::new();
        for row in 0..self.len() {
            let key = self.key(row);
            if key.cmp(&above) == Ordering::Less {
                found.push(row);
            }
            above = key;
        }
        found
    }

    fn key(&self, row: usize) -> Option<(&str, &str, &str, u16, i64)> {
        Some((
            self.subject.word(row)?,
            self.address.word(row)?,
            self.ask.word(row)?,
            *self.attempt.get(row)?,
            *self.seq.get(row)?,
        ))
    }
}

fn part<T: Clone>(values: &[T], range: Range<usize>) -> Vec<T> {
    values.get(range).unwrap_or_default().to_vec()
}

impl Text {
    /// The words sorted, each once.
    fn of<'a>(texts: impl Iterator<Item = Option<&'a str>> + Clone) -> Self {
        // Mostly the same few strings: where they are the same memory, they need not be read.
        let mut places: FxHashMap<(*const u8, usize), (&str, u32)> = FxHashMap::default();
        for text in texts.clone().flatten() {
            places
                .entry((text.as_ptr(), text.len()))
                .or_insert((text, 0));
        }
        let mut words: Vec<&str> = places.values().map(|(text, _)| *text).collect();
        words.sort_unstable();
        words.dedup();
        for (text, place) in places.values_mut() {
            *place = words.binary_search(text).unwrap_or_default() as u32;
        }
        let place = |text: &str| {
            places
                .get(&(text.as_ptr(), text.len()))
                .map(|found| found.1)
        };
        Self {
            indices: texts.map(|text| text.and_then(place)).collect(),
            words: words.into_iter().map(str::to_owned).collect(),
        }
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        let indices = part(&self.indices, rows);
        let mut used: Vec<u32> = indices.iter().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        Self {
            indices: indices
                .into_iter()
                .map(|index| used.binary_search(&index?).ok().map(|place| place as u32))
                .collect(),
            words: used
                .iter()
                .filter_map(|index| self.words.get(*index as usize).cloned())
                .collect(),
        }
    }

    fn word(&self, row: usize) -> Option<&str> {
        let index = (*self.indices.get(row)?)?;
        self.words.get(index as usize).map(String::as_str)
    }

    fn check(&self, rows: usize, may_be_absent: bool) -> Result<(), Fault> {
        let fits = |index: &Option<u32>| {
            index.map_or(may_be_absent, |index| (index as usize) < self.words.len())
        };
        if self.indices.len() != rows || !self.indices.iter().all(fits) {
            return Err("a text column has an index outside its words");
        }
        Ok(())
    }
}

impl Octets {
    fn of<'a>(values: impl Iterator<Item = Option<&'a [u8]>> + Clone) -> Result<Self, Fault> {
        let total: usize = values.clone().flatten().map(<[u8]>::len).sum();
        if i32::try_from(total).is_err() {
            return Err("more than 2 GB of octets in one segment");
        }
        let mut out = Self {
            ends: vec![0],
            data: Vec::with_capacity(total),
            present: Vec::new(),
        };
        for value in values {
            out.data.extend(value.unwrap_or_default());
            out.ends.push(out.data.len() as i32);
            out.present.push(value.is_some());
        }
        Ok(out)
    }

    fn slice(&self, rows: Range<usize>) -> Self {
        let ends = part(&self.ends, rows.start..rows.end + 1);
        let first = ends.first().copied().unwrap_or_default();
        let data = first as usize..ends.last().copied().unwrap_or_default() as usize;
        Self {
            ends: ends.into_iter().map(|end| end - first).collect(),
            data: part(&self.data, data),
            present: part(&self.present, rows),
        }
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
        if !*self.present.get(row)? {
            return None;
        }
        let start = usize::try_from(*self.ends.get(row)?).ok()?;
        let end = usize::try_from(*self.ends.get(row + 1)?).ok()?;
        self.data.get(start..end)
    }

    fn check(&self, rows: usize) -> Result<(), Fault> {
        let is_whole = self.ends.len() == rows + 1
            && self.present.len() == rows
            && self.ends.first().is_none_or(|first| *first >= 0)
            && self
                .ends
                .windows(2)
                .all(|pair| matches!(pair, [a, b] if a <= b))
            && self
                .ends
                .last()
                .is_none_or(|end| usize::try_from(*end).is_ok_and(|end| end <= self.data.len()));
        if is_whole {
            Ok(())
        } else {
            Err("an octet column has offsets outside its data")
        }
    }
}
