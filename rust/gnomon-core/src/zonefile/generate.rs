//! `$GENERATE`: many records from one line, as BIND has it (`$GENERATE 1-9/2 host$ 3600 IN A 192.0.2.$`).

use super::lexer::Bad;
use super::rdata::Words;
use super::text::number;
use std::fmt::Write;

/// Most octets of a line that is made.
const MAX_LINE_OCTETS: usize = 4096;

/// Most digits that a number is filled up to.
const MAX_WIDTH: u32 = 128;

const BAD_RANGE: &str = "$GENERATE needs a range: START-STOP or START-STOP/STEP";
const BAD_NUMBER: &str =
    "after a $ in $GENERATE: {OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N";
const TOO_LONG: &str = "$GENERATE makes a line of more than 4,096 octets";

/// A range, and the line to make for each of its numbers.
#[derive(Debug)]
pub(super) struct Generate {
    start: u32,
    stop: u32,
    step: u32,
    line: Vec<u8>,
}

impl Generate {
    /// The words after `$GENERATE`.
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, Bad> {
        let range = words.next_or(BAD_RANGE)?;
        let (start, stop, step) = range_of(range).ok_or_else(|| words.blame(BAD_RANGE))?;
        let mut line = Vec::new();
        while let Some(word) = words.written() {
            if !line.is_empty() {
                line.push(b' ');
            }
            line.extend_from_slice(word);
            if line.len() > MAX_LINE_OCTETS {
                return Err(words.blame(TOO_LONG));
            }
        }
        if line.is_empty() {
            return Err(words.blame("$GENERATE without a record"));
        }
        Ok(Self {
            start,
            stop,
            step,
            line,
        })
    }

    /// The number of records.
    pub(super) fn records(&self) -> u64 {
        u64::from((self.stop - self.start) / self.step) + 1
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let step = usize::try_from(self.step).unwrap_or(usize::MAX);
        (self.start..=self.stop).step_by(step)
    }

    /// The line for one number.
    pub(super) fn put(&self, number: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
        out.clear();
        let mut rest = self.line.as_slice();
        while let Some((&octet, after)) = rest.split_first() {
            rest = match (octet, after) {
                (b'\\', [next, after @ ..]) => {
                    out.extend_from_slice(&[b'\\', *next]);
                    after
                }
                // Two of them are one that stands for itself.
                (b'$', [b'$', after @ ..]) => {
                    out.push(b'$');
                    after
                }
                (b'$', [b'{', after @ ..]) => {
                    let end = after.iter().position(|&octet| octet == b'}');
                    let (form, after) = after
                        .split_at_checked(end.ok_or(BAD_NUMBER)?)
                        .ok_or(BAD_NUMBER)?;
                    put_number(i64::from(number), form, out).ok_or(BAD_NUMBER)?;
                    after.get(1..).unwrap_or_default()
                }
                (b'$', after) => {
                    put_number(i64::from(number), b"0", out).ok_or(BAD_NUMBER)?;
                    after
                }
                (octet, after) => {
                    out.push(octet);
                    after
                }
            };
            if out.len() > MAX_LINE_OCTETS {
                return Err(TOO_LONG);
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

fn range_of(text: &[u8]) -> Option<(u32, u32, u32)> {
    const MAX: u32 = i32::MAX as u32;
    let mut halves = text.splitn(2, |&octet| octet == b'/');
    let range = halves.next()?;
    let step = halves.next().map_or(Some(1), |step| number(step, MAX))?;
    let mut ends = range.splitn(2, |&octet| octet == b'-');
    let (start, stop) = (number(ends.next()?, MAX)?, number(ends.next()?, MAX)?);
    (start <= stop && step > 0).then_some((start, stop, step))
}

/// Append the number in the form `OFFSET,WIDTH,BASE`, of which the last two may be left out.
fn put_number(number: i64, form: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let form = std::str::from_utf8(form).ok()?;
    let mut fields = form.split(',').map(str::trim);
    let offset: i32 = fields.next()?.parse().ok()?;
    let width: u32 = fields.next().map_or(Some(0), |width| width.parse().ok())?;
    let base = fields.next().unwrap_or("d");
    if fields.next().is_some() || width > MAX_WIDTH {
        return None;
    }
    let width = usize::try_from(width).ok()?;
    let value = number.checked_add(i64::from(offset))?;
    let mut text = String::new();
    match (base, u64::try_from(value)) {
        ("d", _) => write!(text, "{value:0width$}").ok()?,
        ("o", Ok(value)) => write!(text, "{value:0width$o}").ok()?,
        ("x", Ok(value)) => write!(text, "{value:0width$x}").ok()?,
        ("X", Ok(value)) => write!(text, "{value:0width$X}").ok()?,
        // Nibbles with dots between them, the lowest first, as ip6.arpa has them; the width counts the dots.
        ("n" | "N", Ok(mut value)) => loop {
            let digit = char::from_digit(u32::try_from(value & 15).ok()?, 16)?;
            text.push(if base == "N" {
                digit.to_ascii_uppercase()
            } else {
                digit
            });
            value >>= 4;
            if value == 0 && text.len() >= width {
                break;
            }
            text.push('.');
        },
        _ => return None,
    }
    out.extend_from_slice(text.as_bytes());
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn number_text(number: i64, form: &str) -> Option<String> {
        let mut out = Vec::new();
        put_number(number, form.as_bytes(), &mut out)?;
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_have_forms() {
        for (form, expected) in [
            ("0", "26"),
            ("-30", "-4"),
            ("0,4", "0026"),
            ("0,4,x", "001a"),
            ("0,0,X", "1A"),
            ("6,0,o", "40"),
            ("0,7,n", "a.1.0.0"),
            ("0,8,N", "A.1.0.0.0"),
        ] {
            assert_eq!(number_text(26, form).unwrap(), expected, "{form}");
        }
        for bad in ["", "x", "0,x", "0,129", "0,1,b", "0,1,d,1", "-30,1,x"] {
            assert_eq!(number_text(26, bad), None, "{bad}");
        }
    }

    #[test]
    fn ranges() {
        assert_eq!(range_of(b"1-9"), Some((1, 9, 1)));
        assert_eq!(range_of(b"0-2147483647/3"), Some((0, 2_147_483_647, 3)));
        for bad in [&b"1"[..], b"9-1", b"1-2/0", b"1-2147483648", b"-1-2", b""] {
            assert_eq!(range_of(bad), None);
        }
        let all = Generate {
            start: 0,
            stop: 2_147_483_647,
            step: 1,
            line: b"$".to_vec(),
        };
        assert_eq!(all.records(), 1 << 31);
    }
}
