//! Entries and tokens of a master file (RFC 1035 section 5.1): where an entry ends, and its words.

/// Most octets of one entry, over all lines that its parentheses join; the longest rdata written as `\DDD`
/// escapes or hexadecimal with white space stays far below.
pub(super) const MAX_ENTRY_OCTETS: usize = 1 << 20;

/// Finds the end of an entry in octets that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Scan {
    at: usize,
    lines: u32,
    depth: u32,
    quoted: bool,
    escaped: bool,
    comment: bool,
}

impl Scan {
    /// The octets of the entry that `octets` begin with, its line ends included, and the lines it takes; None if it
    /// is not complete yet: then call again with more octets after the same ones.
    ///
    /// A quoted string ends with its line at the latest.
    pub(super) fn entry_end(&mut self, octets: &[u8]) -> Option<(usize, u32)> {
        while let Some(rest) = octets.get(self.at..) {
            let escaped = self.escaped;
            let step = if escaped {
                Some(0)
            } else if self.comment {
                rest.iter().position(|&octet| octet == b'\n')
            } else {
                rest.iter()
                    .position(|octet| matches!(octet, b'\n' | b'"' | b'(' | b')' | b';' | b'\\'))
            };
            let Some((step, &octet)) = step.and_then(|step| Some((step, rest.get(step)?))) else {
                self.at = octets.len();
                return None;
            };
            self.at += step + 1;
            self.escaped = false;
            match octet {
                b'\n' => {
                    self.lines += 1;
                    self.comment = false;
                    if self.depth == 0 || self.quoted {
                        let end = (self.at, self.lines);
                        *self = Self::default();
                        return Some(end);
                    }
                }
                _ if escaped => {}
                b'\\' => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                _ if self.quoted => {}
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.saturating_sub(1),
                _ => self.comment = true,
            }
        }
        None
    }
}

/// One word of an entry: the span of its octets (without the quotes around it) and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

pub(super) const OPEN_QUOTE: &str = "a quoted string is not closed on its line";
pub(super) const OPEN_PARENTHESIS: &str = "a parenthesis is opened here and never closed";
pub(super) const LONE_PARENTHESIS: &str = "a parenthesis is closed that was not opened";

/// Something that cannot be read in an entry: the offset, and why.
pub(super) type Bad = (usize, &'static str);

/// The words of one entry, without comments and parentheses.
pub(super) fn tokenize(entry: &[u8], out: &mut Vec<Token>) -> Result<(), Bad> {
    out.clear();
    let mut at = 0;
    let mut open = Vec::new();
    while let Some(&octet) = entry.get(at) {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b';' => at = line_end(entry, at),
            b'(' => {
                open.push(at);
                at += 1;
            }
            b')' => {
                open.pop().ok_or((at, LONE_PARENTHESIS))?;
                at += 1;
            }
            b'"' => {
                let end = quote_end(entry, at)?;
                out.push(Token {
                    start: at + 1,
                    end: end - 1,
                    quoted: true,
                });
                at = end;
            }
            _ => {
                let end = word_end(entry, at)?;
                out.push(Token {
                    start: at,
                    end,
                    quoted: false,
                });
                at = end;
            }
        }
    }
    match open.pop() {
        Some(at) => Err((at, OPEN_PARENTHESIS)),
        None => Ok(()),
    }
}

fn line_end(entry: &[u8], at: usize) -> usize {
    let rest = entry.get(at..).unwrap_or_default();
    rest.iter()
        .position(|&octet| octet == b'\n')
        .map_or(entry.len(), |step| at + step)
}

/// The offset after the quote that closes the one at `at`.
fn quote_end(entry: &[u8], at: usize) -> Result<usize, Bad> {
    let mut end = at + 1;
    loop {
        match entry.get(end) {
            Some(b'"') => return Ok(end + 1),
            Some(b'\\') => end += 2,
            Some(b'\n') | None => return Err((at, OPEN_QUOTE)),
            Some(0..=8 | 11..=31 | 127) => {
                return Err((end, "a control character; write it as \\DDD"))
            }
            Some(_) => end += 1,
        }
    }
}

/// The offset after the word at `at`; a quoted string may follow an equals sign within it (RFC 9460 section 2.1).
fn word_end(entry: &[u8], at: usize) -> Result<usize, Bad> {
    let mut end = at;
    let mut last = 0;
    while let Some(&octet) = entry.get(end) {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' => break,
            b'"' if last == b'=' => {
                end = quote_end(entry, end)?;
                break;
            }
            b'"' => {
                return Err((
                    end,
                    "a quote within a word; escape it or put white space before it",
                ))
            }
            b'\\' => match entry.get(end + 1) {
                Some(b'\n' | b'\r') | None => {
                    return Err((end, "a backslash at the end of the line"))
                }
                Some(_) => end += 2,
            },
            0..=31 | 127 => return Err((end, "a control character; write it as \\DDD")),
            _ => end += 1,
        }
        last = octet;
    }
    Ok(end.min(entry.len()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn words(entry: &[u8]) -> Vec<&[u8]> {
        let mut tokens = Vec::new();
        tokenize(entry, &mut tokens).unwrap();
        tokens.iter().map(|t| &entry[t.start..t.end]).collect()
    }

    #[test]
    fn entries_end_where_parentheses_and_quotes_let_them() {
        let file = b"a ( b ; ) comment\n \")\" ) c\n\"x\ny \\\nz";
        let mut scan = Scan::default();
        assert_eq!(scan.entry_end(&file[..10]), None);
        assert_eq!(scan.entry_end(file), Some((27, 2)));
        assert_eq!(scan.entry_end(&file[27..]), Some((3, 1)));
        assert_eq!(scan.entry_end(&file[30..]), Some((4, 1)));
        assert_eq!(scan.entry_end(&file[34..]), None);
    }

    #[test]
    fn words_of_an_entry() {
        assert_eq!(
            words(b"a\t(b;c)\n\"d ; \\\" e\" ) alpn=\"h2 x\" \\; f\\ g\r\n"),
            [
                &b"a"[..],
                b"b",
                b"d ; \\\" e",
                b"alpn=\"h2 x\"",
                b"\\;",
                b"f\\ g"
            ]
        );
        let mut out = Vec::new();
        for bad in [
            &b"(\n"[..],
            b")",
            b"\"a\n",
            b"a\"b\"",
            b"a\x01",
            b"\"\x7f\"",
            b"a\\\n",
            b"a\\",
            b"\"\\",
        ] {
            assert!(tokenize(bad, &mut out).is_err(), "{bad:?}");
        }
    }
}
