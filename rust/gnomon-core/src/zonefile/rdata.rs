//! Record data from presentation form to octets, and back.

use super::lexer::{Bad, Token};
use super::svcb;
use super::text::{self, Digits, Why};
use super::types::{self, Field};
use crate::wire::{name_length, put_name};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The words of an entry that are left to read.
pub(super) struct Words<'a> {
    entry: &'a [u8],
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn new(entry: &'a [u8], tokens: &'a [Token]) -> Self {
        Self {
            entry,
            tokens,
            at: 0,
        }
    }

    /// The next word; it stays next.
    pub(super) fn peek(&self) -> Option<&'a [u8]> {
        let token = self.tokens.get(self.at)?;
        self.entry.get(token.start..token.end)
    }

    /// Whether the next word is in quotes.
    pub(super) fn is_quoted(&self) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.quoted)
    }

    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// The next word as it is written, with the quotes around it.
    pub(super) fn written(&mut self) -> Option<&'a [u8]> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        let quotes = usize::from(token.quoted);
        self.entry.get(token.start - quotes..token.end + quotes)
    }

    pub(super) fn next_or(&mut self, why: Why) -> Result<&'a [u8], Bad> {
        self.next().ok_or((self.entry.len().saturating_sub(1), why))
    }

    /// The error that the word before is at fault for.
    pub(super) fn blame(&self, why: Why) -> Bad {
        let token = self.tokens.get(self.at.saturating_sub(1));
        (token.map_or(0, |token| token.start), why)
    }

    /// Nothing may be left.
    pub(super) fn end(&mut self) -> Result<(), Bad> {
        match self.next() {
            Some(_) => Err(self.blame("more fields than the type has")),
            None => Ok(()),
        }
    }
}

/// Why a record's data cannot be read.
pub(super) enum Trouble {
    /// The text is wrong.
    Syntax(Bad),
    /// The type is read in the form of RFC 3597 only.
    Unsupported,
}

impl From<Bad> for Trouble {
    fn from(bad: Bad) -> Self {
        Self::Syntax(bad)
    }
}

/// Append the record data that the rest of the words give.
pub(super) fn read(
    rtype: u16,
    words: &mut Words<'_>,
    origin: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), Trouble> {
    let begin = out.len();
    if words.peek() == Some(b"\\#") && !words.is_quoted() {
        generic(rtype, words, out)?;
    } else {
        for field in types::fields(rtype).ok_or(Trouble::Unsupported)? {
            read_field(*field, words, origin, out)?;
        }
        words.end()?;
    }
    if out.len() - begin > usize::from(u16::MAX) {
        return Err(words.blame("record data of more than 65,535 octets").into());
    }
    Ok(())
}

/// RFC 3597 section 5: `\# length octets`; what has fields of its own must fit them.
fn generic(rtype: u16, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
    words.next();
    let length = words.next_or("\\# without a length")?;
    let length =
        text::number(length, 65535).ok_or_else(|| words.blame("no length of record data"))?;
    let begin = out.len();
    digits(4, words, out)?;
    let rdata = out.get(begin..).unwrap_or_default();
    if usize::try_from(length) != Ok(rdata.len()) {
        return Err(words.blame("\\# with another length than its octets have"));
    }
    if types::fields(rtype).is_some() && put_fields(rtype, rdata, &mut String::new()).is_none() {
        return Err(words.blame("the octets are no record data of this type"));
    }
    Ok(())
}

fn digits(bits: u32, words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
    let mut digits = Digits::new(bits);
    while let Some(word) = words.next() {
        digits.push(word, out).map_err(|why| words.blame(why))?;
    }
    digits.end().map_err(|why| words.blame(why))
}

fn read_field(
    field: Field,
    words: &mut Words<'_>,
    origin: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> Result<(), Bad> {
    match field {
        Field::Hex => return digits(4, words, out),
        Field::Base64 => return digits(6, words, out),
        Field::Types => return read_bitmap(words, out),
        Field::Parameters => return svcb::read(words, out),
        Field::Texts => {
            read_field(Field::Text, words, origin, out)?;
            while words.peek().is_some() {
                read_field(Field::Text, words, origin, out)?;
            }
            return Ok(());
        }
        _ => {}
    }
    let word = words.next_or("fewer fields than the type has")?;
    let number = |max: u32| {
        text::number(word, max).ok_or_else(|| words.blame("no number, or one that is too large"))
    };
    match field {
        Field::U8 => out.extend(number(255)?.to_be_bytes().get(3)),
        Field::U16 => {
            out.extend_from_slice(number(65535)?.to_be_bytes().get(2..).unwrap_or_default())
        }
        Field::U32 => out.extend_from_slice(&number(u32::MAX)?.to_be_bytes()),
        Field::Period => {
            let seconds = text::period(word).ok_or_else(|| words.blame("no number of seconds"))?;
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        Field::Algorithm => {
            let known = text::algorithm(word);
            out.push(
                known.ok_or_else(|| words.blame("no DNSSEC algorithm of this name or number"))?,
            );
        }
        Field::Time => {
            let seconds =
                text::time(word).ok_or_else(|| words.blame("no time; write YYYYMMDDHHmmSS"))?;
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        Field::Type => {
            let rtype =
                types::type_number(word).ok_or_else(|| words.blame("no type of this name"))?;
            out.extend_from_slice(&rtype.to_be_bytes());
        }
        Field::Name => text::name(word, origin, out).map_err(|why| words.blame(why))?,
        Field::Ipv4 => {
            let address: Option<Ipv4Addr> = parsed(word);
            out.extend(
                address
                    .ok_or_else(|| words.blame("no IPv4 address"))?
                    .octets(),
            );
        }
        Field::Ipv6 => {
            let address: Option<Ipv6Addr> = parsed(word);
            out.extend(
                address
                    .ok_or_else(|| words.blame("no IPv6 address"))?
                    .octets(),
            );
        }
        Field::Text => {
            let at = out.len();
            out.push(0);
            text::string(word, out).map_err(|why| words.blame(why))?;
            close(at, out).ok_or_else(|| words.blame("a string of more than 255 octets"))?;
        }
        Field::LongText => text::string(word, out).map_err(|why| words.blame(why))?,
        Field::Salt | Field::Hash => {
            let at = out.len();
            out.push(0);
            if field == Field::Hash || word != b"-" {
                let mut digits = Digits::new(if field == Field::Salt { 4 } else { 5 });
                let whole = digits.push(word, out).and_then(|()| digits.end());
                whole.map_err(|why| words.blame(why))?;
            }
            close(at, out).ok_or_else(|| words.blame("more than 255 octets"))?;
        }
        Field::Hex | Field::Base64 | Field::Types | Field::Parameters | Field::Texts => {}
    }
    Ok(())
}

/// Write the number of octets after `at` there.
fn close(at: usize, out: &mut [u8]) -> Option<()> {
    let length = u8::try_from(out.len() - at - 1).ok()?;
    *out.get_mut(at)? = length;
    Some(())
}

fn parsed<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn read_bitmap(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), Bad> {
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        found.push(types::type_number(word).ok_or_else(|| words.blame("no type of this name"))?);
    }
    text::put_bitmap(&mut found, out);
    Ok(())
}

/// Append record data in presentation form; in that of RFC 3597 where it has no other or does not fit it.
pub fn put_rdata(rtype: u16, rdata: &[u8], out: &mut String) {
    let begin = out.len();
    if put_fields(rtype, rdata, out).is_none() {
        out.truncate(begin);
        let _ = write!(out, "\\# {}", rdata.len());
        if !rdata.is_empty() {
            out.push(' ');
            text::put_hex(rdata, out);
        }
    }
}

fn put_fields(rtype: u16, rdata: &[u8], out: &mut String) -> Option<()> {
    let mut rest = rdata;
    let begin = out.len();
    for field in types::fields(rtype)? {
        if out.len() > begin && !out.ends_with(' ') {
            out.push(' ');
        }
        put_field(*field, &mut rest, out)?;
    }
    out.truncate(out.trim_end_matches(' ').len().max(begin));
    rest.is_empty().then_some(())
}

fn take<'a>(rest: &mut &'a [u8], octets: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(octets)?;
    *rest = left;
    Some(taken)
}

fn take_number(rest: &mut &[u8], octets: usize) -> Option<u32> {
    let taken = take(rest, octets)?;
    Some(
        taken
            .iter()
            .fold(0, |value, octet| (value << 8) | u32::from(*octet)),
    )
}

fn take_counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest, 1)?;
    take(rest, usize::try_from(length).ok()?)
}

fn put_field(field: Field, rest: &mut &[u8], out: &mut String) -> Option<()> {
    let mut number = |octets, out: &mut String| write!(out, "{}", take_number(rest, octets)?).ok();
    match field {
        Field::U8 | Field::Algorithm => number(1, out)?,
        Field::U16 => number(2, out)?,
        Field::U32 | Field::Period => number(4, out)?,
        Field::Time => text::put_time(take_number(rest, 4)?, out),
        Field::Type => out.push_str(&types::type_name(
            u16::try_from(take_number(rest, 2)?).ok()?,
        )),
        Field::Name => put_name(take(rest, name_length(rest)?)?, out),
        Field::Ipv4 => {
            let octets: [u8; 4] = take(rest, 4)?.try_into().ok()?;
            write!(out, "{}", Ipv4Addr::from(octets)).ok()?;
        }
        Field::Ipv6 => {
            let octets: [u8; 16] = take(rest, 16)?.try_into().ok()?;
            write!(out, "{}", Ipv6Addr::from(octets)).ok()?;
        }
        Field::Text => text::put_string(take_counted(rest)?, out),
        Field::Texts => {
            text::put_string(take_counted(rest)?, out);
            while !rest.is_empty() {
                out.push(' ');
                text::put_string(take_counted(rest)?, out);
            }
        }
        Field::LongText => text::put_string(std::mem::take(rest), out),
        Field::Hex => text::put_hex(std::mem::take(rest), out),
        Field::Base64 => text::put_base64(std::mem::take(rest), out),
        Field::Salt => match take_counted(rest)? {
            b"" => out.push('-'),
            salt => text::put_hex(salt, out),
        },
        Field::Hash => match take_counted(rest)? {
            b"" => return None,
            hash => text::put_base32(hash, out),
        },
        Field::Types => {
            let found = text::bitmap_types(std::mem::take(rest))?;
            let names: Vec<String> = found.into_iter().map(types::type_name).collect();
            out.push_str(&names.join(" "));
        }
        Field::Parameters => svcb::put(std::mem::take(rest), out)?,
    }
    Some(())
}
