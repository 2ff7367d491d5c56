//! Records of a master file, as a stream (RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5).

use super::lexer::{tokenize, Bad, Scan, Token, MAX_ENTRY_OCTETS};
use super::rdata::{self, Trouble, Words};
use super::text::{self, MAX_TTL_S};
use super::types;

/// Most faults that are kept; reading stops there.
pub const MAX_FAULTS: usize = 100;

const CLASS_IN: u32 = 1;
const TYPE_SOA: u16 = 6;

/// One record, as the file has it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line where it begins, from 1.
    pub line: u32,
    /// Owner name in wire form, its case kept.
    pub owner: &'a [u8],
    /// True if the owner is that of the record before, octet for octet.
    pub same_owner: bool,
    /// Type.
    pub rtype: u16,
    /// TTL in seconds.
    pub ttl_s: u32,
    /// Record data in wire form, without compression, its case kept.
    pub rdata: &'a [u8],
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The text is no record.
    Syntax,
    /// A type whose data is read in the form of RFC 3597 only.
    UnsupportedPresentation,
    /// `$INCLUDE`: a file speaks for itself only.
    IncludeRefused,
    /// `$GENERATE`: not part of the standard format, and a few octets that stand for many records.
    GenerateRefused,
    /// Another class than IN.
    Class,
    /// Reading stopped: more than a limit allows.
    Limit,
}

impl FaultKind {
    /// The stable word for this kind.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnsupportedPresentation => "unsupported-presentation",
            Self::IncludeRefused => "include-refused",
            Self::GenerateRefused => "generate-refused",
            Self::Class => "class",
            Self::Limit => "limit",
        }
    }
}

/// A place that cannot be read; what stands there is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: u32,
    /// What kind of fault.
    pub kind: FaultKind,
    /// The reason, for a person.
    pub reason: &'static str,
}

/// Reads a file piece by piece; needs no more memory than one entry has octets.
#[derive(Debug)]
pub struct Parser {
    scan: Scan,
    held: Vec<u8>,
    line: u32,
    state: State,
    faults: Vec<Fault>,
    stopped: bool,
}

/// What one entry leaves for the next.
#[derive(Debug)]
struct State {
    origin: Option<Vec<u8>>,
    default_ttl_s: Option<u32>,
    last_ttl_s: Option<u32>,
    owner: Vec<u8>,
    owner_text: Vec<u8>,
    owner_changed: bool,
    tokens: Vec<Token>,
    rdata: Vec<u8>,
}

impl Parser {
    /// Start before the first line; `origin` (in wire form) is what relative names are relative to.
    #[must_use]
    pub fn new(origin: Option<&[u8]>) -> Self {
        Self {
            scan: Scan::default(),
            held: Vec::new(),
            line: 0,
            state: State {
                origin: origin.map(<[u8]>::to_vec),
                default_ttl_s: None,
                last_ttl_s: None,
                owner: Vec::new(),
                owner_text: Vec::new(),
                owner_changed: true,
                tokens: Vec::new(),
                rdata: Vec::new(),
            },
            faults: Vec::new(),
            stopped: false,
        }
    }

    /// Take the next octets of the file; `sink` gets each record, and stops the reading with a reason.
    pub fn feed(
        &mut self,
        octets: &[u8],
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) {
        if self.stopped {
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(octets);
        if self.line == 0 {
            if held.len() < 3 && b"\xef\xbb\xbf".starts_with(&held) && !octets.is_empty() {
                self.held = held;
                return;
            }
            if held.starts_with(b"\xef\xbb\xbf") {
                held.drain(..3);
            }
            self.line = 1;
        }
        let mut rest = held.as_slice();
        while let Some((end, lines)) = self.scan.entry_end(rest) {
            let (entry, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after;
            self.entry(entry, sink);
            self.line = self.line.saturating_add(lines);
            if self.stopped {
                return;
            }
        }
        if rest.len() > MAX_ENTRY_OCTETS {
            self.stop(
                self.line,
                "more than a mebibyte without the end of a line or parenthesis",
            );
            return;
        }
        let left = rest.len();
        let done = held.len() - left;
        held.drain(..done);
        self.held = held;
    }

    /// The file has ended: read what is left.
    pub fn finish(&mut self, sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>) {
        if !self.held.is_empty() {
            // A newline closes the last line and a quoted string; twice, in case the first one is escaped.
            self.feed(b"\n", sink);
            let held = std::mem::take(&mut self.held);
            if !self.stopped && !held.is_empty() {
                self.entry(&held, sink);
            }
        }
        self.stopped = true;
    }

    /// The places that could not be read, in order; at most [`MAX_FAULTS`].
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// True once no further octets are read: the end, or a limit.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn fault(&mut self, line: u32, kind: FaultKind, reason: &'static str) {
        if self.faults.len() + 1 < MAX_FAULTS {
            self.faults.push(Fault { line, kind, reason });
        } else {
            self.stop(
                line,
                "a hundred lines cannot be read; the rest was not tried",
            );
        }
    }

    fn stop(&mut self, line: u32, reason: &'static str) {
        self.stopped = true;
        self.faults.push(Fault {
            line,
            kind: FaultKind::Limit,
            reason,
        });
    }

    fn entry(
        &mut self,
        entry: &[u8],
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) {
        let mut tokens = std::mem::take(&mut self.state.tokens);
        let result = self.record(entry, &mut tokens, sink);
        self.state.tokens = tokens;
        if let Err(Stop { at, kind, reason }) = result {
            let line = self.line.saturating_add(newlines(entry, at));
            if kind == FaultKind::Limit {
                self.stop(line, reason);
            } else {
                self.fault(line, kind, reason);
            }
        }
    }

    fn record(
        &mut self,
        entry: &[u8],
        tokens: &mut Vec<Token>,
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) -> Result<(), Stop> {
        tokenize(entry, tokens)?;
        let Some(first) = tokens.first() else {
            return Ok(());
        };
        let Some((rtype, ttl_s)) = self.state.read(entry, tokens)? else {
            return Ok(());
        };
        let record = Record {
            line: self.line.saturating_add(newlines(entry, first.start)),
            owner: &self.state.owner,
            same_owner: !self.state.owner_changed,
            rtype,
            ttl_s,
            rdata: &self.state.rdata,
        };
        let result = sink(&record);
        self.state.owner_changed = false;
        result.map_err(|reason| Stop::new((first.start, reason), FaultKind::Limit))
    }
}

/// What ends the reading of an entry.
struct Stop {
    at: usize,
    kind: FaultKind,
    reason: &'static str,
}

impl Stop {
    const fn new((at, reason): Bad, kind: FaultKind) -> Self {
        Self { at, kind, reason }
    }
}

impl From<Bad> for Stop {
    fn from(bad: Bad) -> Self {
        Self::new(bad, FaultKind::Syntax)
    }
}

fn newlines(entry: &[u8], to: usize) -> u32 {
    let before = entry.get(..to).unwrap_or_default();
    let count = before.iter().filter(|&&octet| octet == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl State {
    /// Read one entry; type and TTL if it is a record, whose owner and data are then in place.
    fn read(&mut self, entry: &[u8], tokens: &[Token]) -> Result<Option<(u16, u32)>, Stop> {
        let mut words = Words::new(entry, tokens);
        let indented = matches!(entry.first(), Some(b' ' | b'\t'));
        let word = words.peek().unwrap_or_default();
        if !indented {
            words.next();
            if word.first() == Some(&b'$') {
                return self.directive(word, &mut words).map(|()| None);
            }
        }
        self.owner(&words, (!indented).then_some(word))?;
        let (ttl_s, class) = ttl_and_class(&mut words)?;
        let type_text = words.next_or("no type")?;
        let blame = |words: &Words<'_>, kind, reason| Stop::new(words.blame(reason), kind);
        let rtype = types::type_number(type_text).ok_or_else(|| {
            blame(
                &words,
                FaultKind::Syntax,
                "no type, TTL or class of this name",
            )
        })?;
        if class.is_some_and(|class| class != CLASS_IN) {
            return Err(blame(&words, FaultKind::Class, "a class other than IN"));
        }
        if matches!(rtype, 0 | 41 | 128..=255) {
            return Err(blame(
                &words,
                FaultKind::Syntax,
                "a type that no zone can have",
            ));
        }
        self.rdata.clear();
        rdata::read(rtype, &mut words, self.origin.as_deref(), &mut self.rdata).map_err(|trouble| match trouble {
            Trouble::Syntax(bad) => bad.into(),
            Trouble::Unsupported => blame(
                &words,
                FaultKind::UnsupportedPresentation,
                "the data of this type can be read only in the form of RFC 3597 (\\# length octets)",
            ),
        })?;
        let ttl_s = ttl_s.or(self.default_ttl_s).or(self.last_ttl_s);
        let ttl_s = match ttl_s {
            Some(ttl_s) => ttl_s,
            // RFC 1035 has no other source of a TTL for the first record than the zone's minimum.
            None if rtype == TYPE_SOA => soa_minimum(&self.rdata),
            None => {
                return Err(blame(
                    &words,
                    FaultKind::Syntax,
                    "no TTL: neither here nor by $TTL nor before",
                ))
            }
        };
        self.last_ttl_s = Some(ttl_s);
        Ok(Some((rtype, ttl_s)))
    }

    /// Put the owner in place; None stands for the one before.
    fn owner(&mut self, words: &Words<'_>, word: Option<&[u8]>) -> Result<(), Bad> {
        let Some(word) = word else {
            if self.owner.is_empty() {
                return Err(words.blame(
                    "no owner: the line begins with white space and no record is before it",
                ));
            }
            return Ok(());
        };
        if word == self.owner_text.as_slice() && !self.owner.is_empty() {
            return Ok(());
        }
        // A faulty name must not leave its first part behind for the next line.
        self.owner.clear();
        self.owner_text.clear();
        self.owner_changed = true;
        text::name(word, self.origin.as_deref(), &mut self.owner).map_err(|why| {
            self.owner.clear();
            words.blame(why)
        })?;
        self.owner_text.extend_from_slice(word);
        Ok(())
    }

    fn directive(&mut self, word: &[u8], words: &mut Words<'_>) -> Result<(), Stop> {
        let (at, _) = words.blame("");
        if word.eq_ignore_ascii_case(b"$ORIGIN") {
            let text = words.next_or("$ORIGIN without a name")?;
            let mut origin = Vec::new();
            text::name(text, self.origin.as_deref(), &mut origin)
                .map_err(|why| words.blame(why))?;
            words.end()?;
            self.origin = Some(origin);
            // The same text now means another name.
            self.owner_text.clear();
            return Ok(());
        }
        if word.eq_ignore_ascii_case(b"$TTL") {
            let text = words.next_or("$TTL without a number")?;
            let ttl_s = text::period(text).filter(|ttl_s| *ttl_s <= MAX_TTL_S);
            self.default_ttl_s = Some(ttl_s.ok_or_else(|| words.blame("no TTL"))?);
            return Ok(words.end()?);
        }
        let (kind, reason) = if word.eq_ignore_ascii_case(b"$INCLUDE") {
            const REFUSED: &str = "$INCLUDE is refused: a file speaks for itself only";
            (FaultKind::IncludeRefused, REFUSED)
        } else if word.eq_ignore_ascii_case(b"$GENERATE") {
            const REFUSED: &str = "$GENERATE is refused: write the records out";
            (FaultKind::GenerateRefused, REFUSED)
        } else {
            (FaultKind::Syntax, "no directive of this name")
        };
        Err(Stop::new((at, reason), kind))
    }
}

fn soa_minimum(rdata: &[u8]) -> u32 {
    let minimum = rdata
        .last_chunk()
        .map_or(0, |last| u32::from_be_bytes(*last));
    minimum.min(MAX_TTL_S)
}

/// The optional TTL and class before the type, in either order.
fn ttl_and_class(words: &mut Words<'_>) -> Result<(Option<u32>, Option<u32>), Bad> {
    let (mut ttl_s, mut class) = (None, None);
    while let Some(word) = words.peek() {
        if ttl_s.is_none() && word.first().is_some_and(u8::is_ascii_digit) {
            words.next();
            let value = text::period(word).filter(|value| *value <= MAX_TTL_S);
            ttl_s = Some(value.ok_or_else(|| words.blame("no TTL of at most 2147483647 seconds"))?);
        } else if let (None, Some(number)) = (class, class_number(word)) {
            words.next();
            class = Some(number);
        } else {
            break;
        }
    }
    Ok((ttl_s, class))
}

fn class_number(word: &[u8]) -> Option<u32> {
    for (name, number) in [(&b"IN"[..], 1), (b"CH", 3), (b"HS", 4), (b"CS", 2)] {
        if word.eq_ignore_ascii_case(name) {
            return Some(number);
        }
    }
    let (name, digits) = word.split_at_checked(5)?;
    name.eq_ignore_ascii_case(b"CLASS")
        .then(|| text::number(digits, 65535))?
}
