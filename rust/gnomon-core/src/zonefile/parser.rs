//! Records of a master file, as a stream (RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5).

use super::fault::{Fault, FaultKind};
use super::generate::Generate;
use super::lexer::{self, tokenize, Bad, Scan, Token, MAX_ENTRY_OCTETS};
use super::rdata::{self, Trouble, Words};
use super::text::{self, MAX_TTL_S};
use super::types;
use std::borrow::Cow;

/// Most faults that are kept; reading stops there.
pub const MAX_FAULTS: usize = 100;

/// Most records of a file that `$GENERATE` may make, over all its uses.
pub const MAX_GENERATED: u32 = 65_536;

const CLASS_IN: u32 = 1;
const TYPE_SOA: u16 = 6;

/// One record, as the file has it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line where it begins, from 1 (see [`Parser::line`]).
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

/// Reads a file piece by piece; needs no more memory than one entry has octets.
#[derive(Debug)]
pub struct Parser {
    file: File,
    line: u32,
    state: State,
    /// The files that the one being read is included from, outermost first.
    above: Vec<(File, Scope)>,
    follows_includes: bool,
    faults: Vec<Fault>,
    stopped: bool,
}

/// How far one file is read.
#[derive(Debug)]
struct File {
    scan: Scan,
    held: Vec<u8>,
    is_begun: bool,
    include: Option<Include>,
}

/// A file that is to be read next.
#[derive(Debug)]
struct Include {
    line: u32,
    file: Vec<u8>,
    origin: Option<Vec<u8>>,
}

/// What an included file begins with and cannot change for the one above it (RFC 1035 section 5.1).
#[derive(Clone, Debug, Default)]
struct Scope {
    origin: Option<Vec<u8>>,
    default_ttl_s: Option<u32>,
    last_ttl_s: Option<u32>,
    owner: Vec<u8>,
    owner_text: Vec<u8>,
}

/// What one entry leaves for the next.
#[derive(Debug)]
struct State {
    scope: Scope,
    owner_changed: bool,
    tokens: Vec<Token>,
    rdata: Vec<u8>,
    generated: u32,
}

/// What an entry is besides a record.
enum Directive {
    Done,
    Include(Include),
    Generate(Generate),
}

/// What an entry is.
enum Entry {
    Record { rtype: u16, ttl_s: u32 },
    Directive(Directive),
}

impl File {
    fn new() -> Self {
        Self {
            scan: Scan::default(),
            held: Vec::new(),
            is_begun: false,
            include: None,
        }
    }
}

impl Parser {
    /// Start before the first line; `origin` (in wire form) is what relative names are relative to.
    ///
    /// With `follows_includes`, reading pauses at each `$INCLUDE`: see [`Parser::include`].
    #[must_use]
    pub fn new(origin: Option<&[u8]>, follows_includes: bool) -> Self {
        Self {
            file: File::new(),
            line: 1,
            state: State {
                scope: Scope {
                    origin: origin.map(<[u8]>::to_vec),
                    ..Scope::default()
                },
                owner_changed: true,
                tokens: Vec::new(),
                rdata: Vec::new(),
                generated: 0,
            },
            above: Vec::new(),
            follows_includes,
            faults: Vec::new(),
            stopped: false,
        }
    }

    /// Take the next octets of the file; `sink` gets each record, and stops the reading with a reason.
    ///
    /// What stands after an `$INCLUDE` is kept until that is dealt with; then feed on, be it nothing.
    pub fn feed(
        &mut self,
        octets: &[u8],
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) {
        if self.stopped {
            return;
        }
        let mut held = std::mem::take(&mut self.file.held);
        held.extend_from_slice(octets);
        if !self.file.is_begun {
            if held.len() < 3 && b"\xef\xbb\xbf".starts_with(&held) {
                self.file.held = held;
                return;
            }
            if held.starts_with(b"\xef\xbb\xbf") {
                held.drain(..3);
            }
            self.file.is_begun = true;
        }
        let mut rest = held.as_slice();
        while self.file.include.is_none() {
            let Some((end, lines)) = self.file.scan.entry_end(rest) else {
                break;
            };
            // As it would be if the octets came in smaller pieces.
            if end > MAX_ENTRY_OCTETS {
                break;
            }
            let (entry, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after;
            self.entry(entry, sink);
            self.line = self.line.saturating_add(lines);
            if self.stopped {
                return;
            }
        }
        if rest.len() > MAX_ENTRY_OCTETS && self.file.include.is_none() {
            self.stop(
                self.line,
                "more than a mebibyte without the end of a line or parenthesis",
            );
            return;
        }
        let left = rest.len();
        let done = held.len() - left;
        held.drain(..done);
        self.file.held = held;
    }

    /// The file has ended: read what is left. If it was an included one, the one above it goes on.
    ///
    /// If the last line is an `$INCLUDE` to follow, it has not ended yet: deal with that, and call again.
    pub fn end(&mut self, sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>) {
        if !self.file.held.is_empty() {
            self.file.is_begun = true;
            // A newline closes the last line and a quoted string; twice, in case the first one is escaped.
            self.feed(b"\n", sink);
            if self.file.include.is_some() {
                return;
            }
            let held = std::mem::take(&mut self.file.held);
            if !self.stopped && !held.is_empty() {
                self.entry(&held, sink);
                self.line = self.line.saturating_add(newlines(&held, held.len()));
            }
        }
        match self.above.pop() {
            Some((file, scope)) => {
                self.file = file;
                self.state.scope = scope;
                self.state.owner_changed = true;
            }
            None => self.stopped = true,
        }
    }

    /// The file (as it is written) that an `$INCLUDE` asks for, if reading has paused at one.
    ///
    /// Answer with [`Parser::enter`] or [`Parser::refuse`].
    #[must_use]
    pub fn include(&self) -> Option<&[u8]> {
        self.file
            .include
            .as_ref()
            .map(|include| include.file.as_slice())
    }

    /// Begin the file that an `$INCLUDE` asks for: what is fed next is its, up to [`Parser::finish`].
    pub fn enter(&mut self) {
        if let Some(include) = self.file.include.take() {
            let scope = self.state.scope.clone();
            if include.origin.is_some() {
                self.state.scope.origin = include.origin;
                self.state.scope.owner_text.clear();
            }
            let above = std::mem::replace(&mut self.file, File::new());
            self.above.push((above, scope));
        }
    }

    /// Go on after an `$INCLUDE` without it.
    pub fn refuse(&mut self, reason: String) {
        if let Some(include) = self.file.include.take() {
            self.fault(include.line, FaultKind::IncludeRefused, reason.into());
        }
    }

    /// The line that is read next, from 1: lines are counted as if included files stood where they are included.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
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

    fn fault(&mut self, line: u32, kind: FaultKind, reason: Cow<'static, str>) {
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
            reason: reason.into(),
        });
    }

    fn entry(
        &mut self,
        entry: &[u8],
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) {
        let result = match self.read(entry, sink) {
            Ok(Directive::Include(include)) => {
                self.file.include = Some(include);
                return;
            }
            Ok(Directive::Generate(generate)) => self.generate(&generate, sink),
            Ok(Directive::Done) => return,
            Err(stop) => Err(stop),
        };
        if let Err(Stop { at, kind, reason }) = result {
            let line = self.line.saturating_add(newlines(entry, at));
            if kind == FaultKind::Limit {
                self.stop(line, reason);
            } else {
                self.fault(line, kind, reason.into());
            }
        }
    }

    /// Read the records that a `$GENERATE` stands for, up to the first fault.
    fn generate(
        &mut self,
        generate: &Generate,
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) -> Result<(), Stop> {
        let refused = |reason| Stop::new((0, reason), FaultKind::GenerateRefused);
        let total = u64::from(self.state.generated) + generate.records();
        self.state.generated = u32::try_from(total)
            .ok()
            .filter(|total| *total <= MAX_GENERATED)
            .ok_or_else(|| refused("more than 65,536 records by $GENERATE; write them out"))?;
        let mut line = Vec::new();
        for number in generate.numbers() {
            generate.put(number, &mut line).map_err(refused)?;
            if let Directive::Done = self
                .read(&line, sink)
                .map_err(|stop| Stop { at: 0, ..stop })?
            {
                continue;
            }
            return Err(refused("$GENERATE makes records, not directives"));
        }
        Ok(())
    }

    /// Read one entry and hand on its record.
    fn read(
        &mut self,
        entry: &[u8],
        sink: &mut impl FnMut(&Record<'_>) -> Result<(), &'static str>,
    ) -> Result<Directive, Stop> {
        let mut tokens = std::mem::take(&mut self.state.tokens);
        let read = tokenize(entry, &mut tokens)
            .map_err(Stop::from)
            .and_then(|()| self.state.read(entry, &tokens));
        let first = tokens.first().map_or(0, |first| first.start);
        self.state.tokens = tokens;
        let line = self.line.saturating_add(newlines(entry, first));
        let (rtype, ttl_s) = match read? {
            Entry::Record { rtype, ttl_s } => (rtype, ttl_s),
            Entry::Directive(Directive::Include(include)) if self.follows_includes => {
                return Ok(Directive::Include(Include { line, ..include }));
            }
            Entry::Directive(Directive::Include(_)) => {
                const REFUSED: &str = "$INCLUDE is not followed unless that is asked for";
                return Err(Stop::new((first, REFUSED), FaultKind::IncludeRefused));
            }
            Entry::Directive(other) => return Ok(other),
        };
        let record = Record {
            line,
            owner: &self.state.scope.owner,
            same_owner: !self.state.owner_changed,
            rtype,
            ttl_s,
            rdata: &self.state.rdata,
        };
        let result = sink(&record);
        self.state.owner_changed = false;
        result.map_err(|reason| Stop::new((first, reason), FaultKind::Limit))?;
        Ok(Directive::Done)
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
        let kind = match bad.1 {
            lexer::OPEN_QUOTE | lexer::OPEN_PARENTHESIS | lexer::LONE_PARENTHESIS => {
                FaultKind::Unbalanced
            }
            text::NO_TTL => FaultKind::Ttl,
            _ => FaultKind::Syntax,
        };
        Self::new(bad, kind)
    }
}

fn newlines(entry: &[u8], to: usize) -> u32 {
    let before = entry.get(..to).unwrap_or_default();
    let count = before.iter().filter(|&&octet| octet == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl State {
    /// Read one entry; if it is a record, its owner and data are then in place.
    fn read(&mut self, entry: &[u8], tokens: &[Token]) -> Result<Entry, Stop> {
        if tokens.is_empty() {
            return Ok(Entry::Directive(Directive::Done));
        }
        let mut words = Words::new(entry, tokens);
        let indented = matches!(entry.first(), Some(b' ' | b'\t'));
        let word = words.peek().unwrap_or_default();
        if !indented {
            words.next();
            if word.first() == Some(&b'$') {
                return self.directive(word, &mut words).map(Entry::Directive);
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
        rdata::read(rtype, &mut words, self.scope.origin.as_deref(), &mut self.rdata).map_err(|trouble| match trouble {
            Trouble::Syntax(bad) => bad.into(),
            Trouble::Unsupported => blame(
                &words,
                FaultKind::UnsupportedPresentation,
                "the data of this type can be read only in the form of RFC 3597 (\\# length octets)",
            ),
        })?;
        let ttl_s = ttl_s.or(self.scope.default_ttl_s).or(self.scope.last_ttl_s);
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
        self.scope.last_ttl_s = Some(ttl_s);
        Ok(Entry::Record { rtype, ttl_s })
    }

    /// Put the owner in place; None stands for the one before.
    fn owner(&mut self, words: &Words<'_>, word: Option<&[u8]>) -> Result<(), Bad> {
        let Some(word) = word else {
            if self.scope.owner.is_empty() {
                return Err(words.blame(
                    "no owner: the line begins with white space and no record is before it",
                ));
            }
            return Ok(());
        };
        if word == self.scope.owner_text.as_slice() && !self.scope.owner.is_empty() {
            return Ok(());
        }
        // A faulty name must not leave its first part behind for the next line.
        self.scope.owner.clear();
        self.scope.owner_text.clear();
        self.owner_changed = true;
        text::name(word, self.scope.origin.as_deref(), &mut self.scope.owner).map_err(|why| {
            self.scope.owner.clear();
            words.blame(why)
        })?;
        self.scope.owner_text.extend_from_slice(word);
        Ok(())
    }

    fn directive(&mut self, word: &[u8], words: &mut Words<'_>) -> Result<Directive, Stop> {
        let (at, _) = words.blame("");
        if word.eq_ignore_ascii_case(b"$ORIGIN") {
            let text = words.next_or("$ORIGIN without a name")?;
            let mut origin = Vec::new();
            text::name(text, self.scope.origin.as_deref(), &mut origin)
                .map_err(|why| words.blame(why))?;
            words.end()?;
            self.scope.origin = Some(origin);
            // The same text now means another name.
            self.scope.owner_text.clear();
            return Ok(Directive::Done);
        }
        if word.eq_ignore_ascii_case(b"$TTL") {
            let text = words.next_or("$TTL without a number")?;
            let ttl_s = text::period(text).filter(|ttl_s| *ttl_s <= MAX_TTL_S);
            self.scope.default_ttl_s = Some(ttl_s.ok_or_else(|| words.blame(text::NO_TTL))?);
            words.end()?;
            return Ok(Directive::Done);
        }
        if word.eq_ignore_ascii_case(b"$INCLUDE") {
            let file = words.next_or("$INCLUDE without a file")?.to_vec();
            let mut origin = None;
            if let Some(text) = words.next() {
                let name = origin.insert(Vec::new());
                text::name(text, self.scope.origin.as_deref(), name)
                    .map_err(|why| words.blame(why))?;
            }
            words.end()?;
            return Ok(Directive::Include(Include {
                line: 0,
                file,
                origin,
            }));
        }
        if word.eq_ignore_ascii_case(b"$GENERATE") {
            return Generate::read(words)
                .map(Directive::Generate)
                .map_err(|bad| Stop::new(bad, FaultKind::GenerateRefused));
        }
        Err(Stop::new(
            (at, "no directive of this name"),
            FaultKind::Syntax,
        ))
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
            ttl_s = Some(value.ok_or_else(|| words.blame(text::NO_TTL))?);
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
