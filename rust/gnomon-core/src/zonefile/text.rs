//! The small forms of a master file: numbers, names, strings, encodings, times.

use super::types;
use crate::wire::{type_bitmap, MAX_NAME_OCTETS};
use std::fmt::Write;

/// Why a word cannot be read.
pub(super) type Why = &'static str;

/// Largest TTL in seconds (RFC 2181 section 8).
pub(super) const MAX_TTL_S: u32 = (1 << 31) - 1;

pub(super) const NO_TTL: Why = "no TTL of at most 2147483647 seconds";

/// A decimal number of at most `max`.
pub(super) fn number(text: &[u8], max: u32) -> Option<u32> {
    if text.is_empty() || text.len() > 10 {
        return None;
    }
    let mut value = 0u64;
    for octet in text {
        value = value * 10 + u64::from(octet.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    u32::try_from(value).ok().filter(|value| *value <= max)
}

/// Seconds: a number, or numbers with the units w, d, h, m, s.
pub(super) fn period(text: &[u8]) -> Option<u32> {
    let (mut total, mut value, mut digits) = (0u64, 0u64, 0);
    for octet in text {
        if octet.is_ascii_digit() {
            value = value * 10 + u64::from(octet - b'0');
            digits += 1;
            if digits > 10 {
                return None;
            }
            continue;
        }
        let unit_s = match octet.to_ascii_lowercase() {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total = total.checked_add(value * unit_s)?;
        (value, digits) = (0, 0);
    }
    if text.is_empty() {
        return None;
    }
    u32::try_from(total.checked_add(value)?).ok()
}

/// The octet that an escape stands for, after its backslash.
fn escape(rest: &mut std::slice::Iter<'_, u8>) -> Result<u8, Why> {
    const BAD: Why =
        "bad escape; write \\DDD with a number up to 255, or a backslash before one character";
    let first = *rest.next().ok_or(BAD)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = rest
            .next()
            .filter(|octet| octet.is_ascii_digit())
            .ok_or(BAD)?;
        value = value * 10 + u32::from(digit - b'0');
    }
    u8::try_from(value).map_err(|_| BAD)
}

/// Append a name in wire form, its case kept; a relative one is completed with `origin`.
pub(super) fn name(text: &[u8], origin: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Why> {
    const NO_ORIGIN: Why = "a relative name before any $ORIGIN; give the zone's name";
    match text {
        b"@" => {
            out.extend_from_slice(origin.ok_or(NO_ORIGIN)?);
            return Ok(());
        }
        b"." => {
            out.push(0);
            return Ok(());
        }
        _ => {}
    }
    let begin = out.len();
    let mut label_at = begin;
    out.push(0);
    let mut rest = text.iter();
    let mut absolute = false;
    while let Some(&octet) = rest.next() {
        match octet {
            b'.' => {
                close_label(label_at, out)?;
                label_at = out.len();
                out.push(0);
                absolute = rest.as_slice().is_empty();
            }
            b'\\' => out.push(escape(&mut rest)?),
            _ => out.push(octet),
        }
    }
    if !absolute {
        close_label(label_at, out)?;
        out.extend_from_slice(origin.ok_or(NO_ORIGIN)?);
    }
    if out.len() - begin > MAX_NAME_OCTETS {
        return Err("a name of more than 255 octets");
    }
    Ok(())
}

fn close_label(label_at: usize, out: &mut [u8]) -> Result<(), Why> {
    let length = match u8::try_from(out.len() - label_at - 1) {
        Ok(0) => return Err("an empty label (two dots in a row, or no name at all)"),
        Ok(length @ 1..=63) => length,
        _ => return Err("a label of more than 63 octets"),
    };
    if let Some(octet) = out.get_mut(label_at) {
        *octet = length;
    }
    Ok(())
}

/// Append the octets of a string with its escapes resolved.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
    let mut rest = text.iter();
    while let Some(&octet) = rest.next() {
        out.push(if octet == b'\\' {
            escape(&mut rest)?
        } else {
            octet
        });
    }
    Ok(())
}

/// Appends decoded octets of digits that come in pieces; `bits` per digit, of which whole octets are taken.
pub(super) struct Digits {
    bits: u32,
    held: u32,
    buffer: u32,
    padding: bool,
}

impl Digits {
    pub(super) const fn new(bits: u32) -> Self {
        Self {
            bits,
            held: 0,
            buffer: 0,
            padding: false,
        }
    }

    pub(super) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
        for &octet in text {
            let value = match self.bits {
                4 => hex_value(octet),
                5 => base32_value(octet),
                _ => base64_value(octet),
            };
            let Some(value) = value else {
                if octet == b'=' && self.bits == 6 {
                    self.padding = true;
                    continue;
                }
                return Err("a character that is no digit of the encoding");
            };
            if self.padding {
                return Err("digits after the padding of base 64");
            }
            self.buffer = (self.buffer << self.bits) | u32::from(value);
            self.held += self.bits;
            if self.held >= 8 {
                self.held -= 8;
                out.push(u8::try_from((self.buffer >> self.held) & 255).unwrap_or_default());
                self.buffer &= (1 << self.held) - 1;
            }
        }
        Ok(())
    }

    /// Whether the digits made whole octets and what is left over is zero.
    pub(super) fn end(&self) -> Result<(), Why> {
        if self.held >= self.bits || self.buffer != 0 {
            return Err("the digits do not make whole octets");
        }
        Ok(())
    }
}

const fn hex_value(octet: u8) -> Option<u8> {
    Some(match octet {
        b'0'..=b'9' => octet - b'0',
        b'a'..=b'f' => octet - b'a' + 10,
        b'A'..=b'F' => octet - b'A' + 10,
        _ => return None,
    })
}

const fn base32_value(octet: u8) -> Option<u8> {
    Some(match octet {
        b'0'..=b'9' => octet - b'0',
        b'a'..=b'v' => octet - b'a' + 10,
        b'A'..=b'V' => octet - b'A' + 10,
        _ => return None,
    })
}

const fn base64_value(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

const BASE32: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(octets: &[u8], bits: u32, alphabet: &[u8], out: &mut String) -> u32 {
    let (mut buffer, mut held) = (0u32, 0);
    let mask = (1u32 << bits) - 1;
    let mut put = |value: u32| {
        let digit = usize::try_from(value & mask)
            .ok()
            .and_then(|at| alphabet.get(at));
        out.push(char::from(digit.copied().unwrap_or_default()));
    };
    for octet in octets {
        buffer = ((buffer << 8) | u32::from(*octet)) & 0xffff;
        held += 8;
        while held >= bits {
            held -= bits;
            put(buffer >> held);
        }
    }
    if held > 0 {
        put(buffer << (bits - held));
    }
    held
}

pub(super) fn put_base32(octets: &[u8], out: &mut String) {
    encode(octets, 5, BASE32, out);
}

pub(super) fn put_base64(octets: &[u8], out: &mut String) {
    match encode(octets, 6, BASE64, out) {
        2 => out.push_str("=="),
        4 => out.push('='),
        _ => {}
    }
}

pub(super) fn put_hex(octets: &[u8], out: &mut String) {
    for octet in octets {
        let _ = write!(out, "{octet:02x}");
    }
}

/// Unix seconds, modulo 2^32 (RFC 4034 section 3.1.5), of `YYYYMMDDHHmmSS` or of a number.
pub(super) fn time(text: &[u8]) -> Option<u32> {
    if text.len() != 14 {
        return number(text, u32::MAX);
    }
    let part = |from: usize, to: usize| number(text.get(from..to)?, 9999).map(i64::from);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1970 || !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-01-01, the year beginning in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    u32::try_from((days * 86_400 + hour * 3600 + minute * 60 + second).rem_euclid(1 << 32)).ok()
}

/// The form that `time` reads; of the years from 1970 on.
pub(super) fn put_time(seconds: u32, out: &mut String) {
    let (days, of_day) = (i64::from(seconds / 86_400) + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let _ = write!(
        out,
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    );
}

/// Append the octets of a type bitmap (RFC 4034 section 4.1.2).
pub(super) fn put_bitmap(types: &mut Vec<u16>, out: &mut Vec<u8>) {
    types.sort_unstable();
    types.dedup();
    for window in types.chunk_by(|a, b| a >> 8 == b >> 8) {
        let mut bits = [0u8; 32];
        let mut length = 0;
        let mut number = 0;
        for rtype in window {
            let [high, low] = rtype.to_be_bytes();
            number = high;
            length = usize::from(low / 8) + 1;
            if let Some(octet) = bits.get_mut(usize::from(low / 8)) {
                *octet |= 0x80 >> (low % 8);
            }
        }
        out.push(number);
        out.push(u8::try_from(length).unwrap_or_default());
        out.extend_from_slice(bits.get(..length).unwrap_or_default());
    }
}

/// The types of a bitmap in order; None if it is malformed: blocks out of order, or that end in an octet without a type
/// (RFC 4034 section 4.1.2).
pub(super) fn bitmap_types(octets: &[u8]) -> Option<Vec<u16>> {
    let mut types = type_bitmap(octets)?;
    let mut as_written = Vec::with_capacity(octets.len());
    put_bitmap(&mut types, &mut as_written);
    (as_written == octets).then_some(types)
}

/// A string in quotes.
pub(super) fn put_string(octets: &[u8], out: &mut String) {
    out.push('"');
    for &octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            32..=126 => out.push(char::from(octet)),
            _ => {
                let _ = write!(out, "\\{octet:03}");
            }
        }
    }
    out.push('"');
}

/// A DNSSEC algorithm by number or name.
pub(super) fn algorithm(text: &[u8]) -> Option<u8> {
    number(text, 255)
        .and_then(|value| u8::try_from(value).ok())
        .or_else(|| types::algorithm_number(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn named(text: &str, origin: Option<&[u8]>) -> Result<Vec<u8>, Why> {
        let mut out = Vec::new();
        name(text.as_bytes(), origin, &mut out).map(|()| out)
    }

    #[test]
    fn names() {
        assert_eq!(named("a.B.", None).unwrap(), b"\x01a\x01B\x00");
        assert_eq!(named("a", Some(b"\x01b\x00")).unwrap(), b"\x01a\x01b\x00");
        assert_eq!(named("@", Some(b"\x01b\x00")).unwrap(), b"\x01b\x00");
        assert_eq!(named(".", None).unwrap(), b"\x00");
        assert_eq!(named(r"a\.\098\\.", None).unwrap(), b"\x04a.b\\\x00");
        assert_eq!(named(r"a\.", Some(b"\x00")).unwrap(), b"\x02a.\x00");
        for bad in [
            "",
            "a..b.",
            ".a.",
            "a",
            "@",
            r"\256.",
            r"\1.",
            r"a\",
            &"a".repeat(64),
            &"a.".repeat(128),
        ] {
            assert!(named(bad, None).is_err(), "{bad}");
        }
        assert_eq!(named(&"a.".repeat(127), None).unwrap().len(), 255);
    }

    #[test]
    fn numbers_and_periods() {
        assert_eq!(number(b"65535", 65535), Some(65535));
        assert_eq!(number(b"65536", 65535), None);
        assert_eq!(
            [number(b"", 9), number(b"-1", 9), number(b"99999999999", 9)],
            [None; 3]
        );
        assert_eq!(period(b"1w2D3h4m5s"), Some(788_645));
        assert_eq!(period(b"90"), Some(90));
        assert_eq!(period(b"0"), Some(0));
        for bad in [
            &b""[..],
            b"h",
            b"1x",
            b"1hh",
            b"4294967296",
            b"99999999999",
            b"9999999999w",
        ] {
            assert_eq!(period(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time(b"20260731190000"), Some(1_785_524_400));
        assert_eq!(time(b"1785524400"), Some(1_785_524_400));
        assert_eq!(time(b"20240229000000"), Some(1_709_164_800));
        for bad in [
            &b"20230229000000"[..],
            b"20231301000000",
            b"19690101000000",
            b"20230101240000",
            b"x",
        ] {
            assert_eq!(time(bad), None, "{bad:?}");
        }
        for seconds in [0, 951_782_400, 1_709_164_800, u32::MAX] {
            let mut text = String::new();
            put_time(seconds, &mut text);
            assert_eq!(time(text.as_bytes()), Some(seconds));
        }
    }

    #[test]
    fn encodings() {
        let mut out = Vec::new();
        let mut digits = Digits::new(6);
        digits.push(b"Zm9vYg", &mut out).unwrap();
        digits.push(b"==", &mut out).unwrap();
        assert_eq!((digits.end(), out.as_slice()), (Ok(()), &b"foob"[..]));
        assert!(digits.push(b"A", &mut out).is_err());
        for (bits, text) in [(4, "f"), (4, "g0"), (5, "w"), (6, "A"), (6, "AB"), (6, "*")] {
            let mut digits = Digits::new(bits);
            let result = digits
                .push(text.as_bytes(), &mut out)
                .and_then(|()| digits.end());
            assert!(result.is_err(), "{text}");
        }
        let mut text = String::new();
        put_base64(b"foob", &mut text);
        put_base32(b"foobar", &mut text);
        assert_eq!(text, "Zm9vYg==cpnmuoj1e8");
    }

    #[test]
    fn bitmaps() {
        let mut out = Vec::new();
        put_bitmap(&mut vec![46, 1, 257, 1], &mut out);
        assert_eq!(out, [0, 6, 0x40, 0, 0, 0, 0, 2, 1, 1, 0x40]);
        assert_eq!(bitmap_types(&out), Some(vec![1, 46, 257]));
        assert_eq!(bitmap_types(&[]), Some(vec![]));
        for bad in [
            &[0u8][..],
            &[0, 0],
            &[0, 2, 1],
            &[0, 1, 1, 0, 1, 1],
            &[0, 33],
            &[0, 1, 0],
            &[0, 2, 1, 0],
        ] {
            assert_eq!(bitmap_types(bad), None);
        }
    }
}
