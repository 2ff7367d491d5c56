//! Uncompressed names as labels: their order, what is below what, and presentation form.
//!
//! All take octets from anyone: of what is no name, the labels before the fault count.

use super::name::MAX_NAME_OCTETS;
use std::cmp::Ordering;
use std::fmt::Write;

const MAX_LABELS: usize = MAX_NAME_OCTETS / 2 + 1;
const MAX_LABEL_OCTETS: usize = 63;

/// The labels of a name from left to right, without the root label.
pub fn labels(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let (&length @ 1.., after) = rest.split_first()? else {
            return None;
        };
        let (label, after) = after.split_at_checked(usize::from(length))?;
        rest = after;
        Some(label)
    })
}

/// Two names in lower case by the canonical order of RFC 4034 section 6.1: label by label from the root down.
#[must_use]
pub fn order(one: &[u8], other: &[u8]) -> Ordering {
    let (ones, others) = (reversed(one), reversed(other));
    ones.iter()
        .take_while(|label| !label.is_empty())
        .cmp(others.iter().take_while(|label| !label.is_empty()))
}

/// The labels from right to left, then empty ones.
fn reversed(name: &[u8]) -> [&[u8]; MAX_LABELS] {
    let mut out: [&[u8]; MAX_LABELS] = [&[]; MAX_LABELS];
    let mut count = 0;
    for (slot, label) in out.iter_mut().zip(labels(name)) {
        *slot = label;
        count += 1;
    }
    if let Some(used) = out.get_mut(..count) {
        used.reverse();
    }
    out
}

/// True if `name` is `above` or below it; both in lower case.
#[must_use]
pub fn is_at_or_below(name: &[u8], above: &[u8]) -> bool {
    if !name.ends_with(above) {
        return false;
    }
    // A label may end in the octets of another name.
    let stop = name.len() - above.len();
    let mut at = 0;
    for label in labels(name) {
        if at >= stop {
            break;
        }
        at += label.len() + 1;
    }
    at == stop
}

/// What is wrong with octets that should be one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The octet there is no label length.
    LabelLength(usize, u8),
    /// The labels do not end with the octets, or there are more than [`MAX_NAME_OCTETS`] of these.
    NotOne,
}

/// Whether the octets are exactly one name.
///
/// # Errors
/// The first fault.
pub fn check_name(octets: &[u8]) -> Result<(), NameError> {
    let mut at = 0;
    while let Some(&length @ 1..) = octets.get(at) {
        if usize::from(length) > MAX_LABEL_OCTETS {
            return Err(NameError::LabelLength(at, length));
        }
        at += usize::from(length) + 1;
    }
    if at + 1 == octets.len() && octets.len() <= MAX_NAME_OCTETS {
        Ok(())
    } else {
        Err(NameError::NotOne)
    }
}

/// What is wrong with a text that should be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// There is nothing.
    Empty,
    /// A backslash there is not followed by three digits up to 255 or by one other character.
    Escape(usize),
    /// An octet that is no visible ASCII character.
    Space,
    /// Two dots in a row.
    EmptyLabel,
    /// A label of so many octets.
    LongLabel(usize),
    /// A name of so many octets.
    LongName(usize),
}

/// The octets of a name in presentation form (RFC 1035 section 5.1); a missing final dot is added.
///
/// # Errors
/// The first character that cannot be read, else the first label that cannot be, else the length.
pub fn name_of_text(text: &[u8]) -> Result<Vec<u8>, TextError> {
    match text {
        b"" => return Err(TextError::Empty),
        b"." => return Ok(vec![0]),
        _ => {}
    }
    let mut wire = Vec::with_capacity(text.len() + 2);
    let mut fault = None;
    let mut begin = 0;
    wire.push(0);
    let mut rest = text;
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match octet {
            b'.' => {
                fault = fault.or(close_label(&mut wire, begin));
                begin = wire.len();
                wire.push(0);
            }
            b'\\' => {
                let (escaped, after) =
                    escape(rest).ok_or(TextError::Escape(text.len() - rest.len() - 1))?;
                wire.push(escaped);
                rest = after;
            }
            33..=126 => wire.push(octet),
            _ => return Err(TextError::Space),
        }
    }
    // The place of the root label is there if a dot came last.
    if begin + 1 < wire.len() {
        fault = fault.or(close_label(&mut wire, begin));
        wire.push(0);
    }
    match fault {
        Some(fault) => Err(fault),
        None if wire.len() > MAX_NAME_OCTETS => Err(TextError::LongName(wire.len())),
        None => Ok(wire),
    }
}

/// The octet that the characters after a backslash mean, and what follows them.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = rest.split_first()?;
    if !first.is_ascii_digit() {
        return Some((first, after));
    }
    let (digits, after) = rest.split_at_checked(3)?;
    let octet = digits.iter().try_fold(0u16, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        Some(value * 10 + u16::from(digit))
    })?;
    Some((u8::try_from(octet).ok()?, after))
}

/// Write the length of the label that begins at `begin`; a fault if it has none.
fn close_label(wire: &mut [u8], begin: usize) -> Option<TextError> {
    let length = wire.len() - begin - 1;
    match u8::try_from(length) {
        Ok(0) => Some(TextError::EmptyLabel),
        Ok(octet) if length <= MAX_LABEL_OCTETS => {
            *wire.get_mut(begin)? = octet;
            None
        }
        _ => Some(TextError::LongLabel(length)),
    }
}

/// A name in presentation form with a final dot; every octet that is not plain ASCII text escaped.
pub fn put_name(name: &[u8], out: &mut String) {
    if name.first() == Some(&0) {
        out.push('.');
    }
    for label in labels(name) {
        for &octet in label {
            match octet {
                b'.' | b'"' | b'(' | b')' | b';' | b'@' | b'$' | b'\\' => {
                    out.push('\\');
                    out.push(char::from(octet));
                }
                33..=126 => out.push(char::from(octet)),
                _ => {
                    let _ = write!(out, "\\{octet:03}");
                }
            }
        }
        out.push('.');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn name(text: &str) -> Vec<u8> {
        name_of_text(text.as_bytes()).unwrap()
    }

    fn text(name: &[u8]) -> String {
        let mut out = String::new();
        put_name(name, &mut out);
        out
    }

    #[test]
    fn text_reads_back() {
        for given in [
            ".",
            "a.B.",
            r#"a\.\"b\\.\000\255."#,
            "xn--mnchen-3ya.example.",
        ] {
            assert_eq!(text(&name(given)), given);
        }
        assert_eq!(name("a.B"), b"\x01a\x01B\x00");
        assert_eq!(name(r"\097\a"), b"\x02aa\x00");
    }

    #[test]
    fn a_text_that_is_no_name() {
        for (given, fault) in [
            ("", TextError::Empty),
            ("..", TextError::EmptyLabel),
            (".a", TextError::EmptyLabel),
            ("a..b", TextError::EmptyLabel),
            ("a b", TextError::Space),
            ("a..b c", TextError::Space),
            (r"a\", TextError::Escape(1)),
            (r"a\25", TextError::Escape(1)),
            (r"a\256", TextError::Escape(1)),
            (r"a\2a5", TextError::Escape(1)),
            (&"a".repeat(64), TextError::LongLabel(64)),
            (&"a.".repeat(128), TextError::LongName(257)),
        ] {
            assert_eq!(name_of_text(given.as_bytes()), Err(fault), "{given}");
        }
        assert_eq!(name_of_text(&b"a.".repeat(127)).unwrap().len(), 255);
    }

    #[test]
    fn octets_that_are_no_name() {
        assert_eq!(check_name(b"\x01a\x00"), Ok(()));
        assert_eq!(check_name(b"\x00"), Ok(()));
        assert_eq!(check_name(b""), Err(NameError::NotOne));
        assert_eq!(check_name(b"\x01a"), Err(NameError::NotOne));
        assert_eq!(check_name(b"\x01a\x00\x00"), Err(NameError::NotOne));
        assert_eq!(check_name(b"\x01a\x40"), Err(NameError::LabelLength(2, 64)));
        let long = [b"\x01a".repeat(127), vec![0]].concat();
        assert_eq!(check_name(&long), Ok(()));
        assert_eq!(
            check_name(&[b"\x01a", long.as_slice()].concat()),
            Err(NameError::NotOne)
        );
    }

    #[test]
    fn order_goes_from_the_root_down() {
        let sorted = [
            ".",
            "example.",
            "a.example.",
            "b.a.example.",
            r"\001.z.example.",
            "z.z.example.",
        ];
        for pair in sorted.windows(2) {
            let [low, high] = pair else { continue };
            assert_eq!(
                order(&name(low), &name(high)),
                Ordering::Less,
                "{low} {high}"
            );
            assert_eq!(order(&name(high), &name(low)), Ordering::Greater);
            assert_eq!(order(&name(low), &name(low)), Ordering::Equal);
        }
        let most = [b"\x01a".repeat(127), vec![0]].concat();
        assert_eq!(labels(&most).count(), 127);
        assert_eq!(order(&most, &most), Ordering::Equal);
    }

    #[test]
    fn below_is_by_whole_labels() {
        assert!(is_at_or_below(&name("a.example."), &name("example.")));
        assert!(is_at_or_below(&name("example."), &name(".")));
        assert!(!is_at_or_below(&name("notexample."), &name("example.")));
        assert!(!is_at_or_below(&name("example."), &name("a.example.")));
        assert!(!is_at_or_below(b"\x09x\x07example\x00", &name("example.")));
    }

    #[test]
    fn what_is_no_name_has_the_labels_before_the_fault() {
        assert_eq!(labels(b"\x01a\x05b").collect::<Vec<_>>(), [b"a"]);
        assert_eq!(labels(b"").count(), 0);
        assert!(!is_at_or_below(b"\x01a\x05b", b"\x05c"));
    }
}
