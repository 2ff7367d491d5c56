//! Where names stand in the rdata of the types that may hold compressed ones.

use super::name::{name_length, read_name, Fault, Reason};
use std::ops::Range;

/// One field of an rdata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// So many octets.
    Octets(usize),
    /// A character string: a length octet, then so many octets (RFC 1035 section 3.3).
    Text,
    /// A domain name.
    Name,
    /// All octets that are left, maybe none.
    Rest,
}

/// The fields of the types whose names may be compressed or are lowercased in canonical form.
///
/// RFC 3597 section 4 (RFC 1035 types, RP, AFSDB, RT, SIG, PX, NXT, NAPTR, SRV), RFC 4034 section 6.2 (KX, DNAME,
/// RRSIG, NSEC). A6 (historic, RFC 6563) is left out. None for every other type: its octets stay as they are.
#[must_use]
pub const fn layout(rtype: u16) -> Option<&'static [Field]> {
    use Field::{Name, Octets, Rest, Text};
    Some(match rtype {
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 | 39 => &[Name], // NS MD MF CNAME MB MG MR PTR DNAME
        6 => &[Name, Name, Octets(20)],                 // SOA
        14 | 17 => &[Name, Name],                       // MINFO RP
        15 | 18 | 21 | 36 => &[Octets(2), Name],        // MX AFSDB RT KX
        24 | 46 => &[Octets(18), Name, Rest],           // SIG RRSIG
        26 => &[Octets(2), Name, Name],                 // PX
        30 | 47 => &[Name, Rest],                       // NXT NSEC
        33 => &[Octets(6), Name],                       // SRV
        35 => &[Octets(4), Text, Text, Text, Name],     // NAPTR
        _ => return None,
    })
}

/// Append the rdata at `span` of the message to `out`, with its names uncompressed.
///
/// # Errors
/// The name at fault, or [`Reason::BadRdata`] at the beginning of the rdata if the fields do not fill it.
pub fn decompress(
    wire: &[u8],
    span: Range<usize>,
    fields: &[Field],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let bad = Fault::new(span.start, Reason::BadRdata);
    let mut at = span.start;
    for field in fields {
        let next = match field {
            Field::Name if at >= span.end => return Err(bad),
            Field::Name => {
                at = read_name(wire, at, span.end, out)?;
                continue;
            }
            Field::Octets(count) => at + count,
            Field::Text => at + 1 + usize::from(*wire.get(at).ok_or(bad)?),
            Field::Rest => span.end,
        };
        if next > span.end {
            return Err(bad);
        }
        out.extend_from_slice(wire.get(at..next).ok_or(bad)?);
        at = next;
    }
    if at == span.end {
        Ok(())
    } else {
        Err(bad)
    }
}

/// The spans of the names in an rdata without compression; None if its fields do not fill it.
#[must_use]
pub fn name_spans(rdata: &[u8], fields: &[Field]) -> Option<Vec<Range<usize>>> {
    let mut spans = Vec::new();
    let mut at = 0;
    for field in fields {
        let next = match field {
            Field::Name => {
                let next = at + name_length(rdata.get(at..)?)?;
                spans.push(at..next);
                next
            }
            Field::Octets(count) => at + count,
            Field::Text => at + 1 + usize::from(*rdata.get(at)?),
            Field::Rest => rdata.len().max(at),
        };
        at = next;
    }
    (at == rdata.len()).then_some(spans)
}

/// The types of a type bit map (RFC 4034 section 4.1.2); None unless its windows rise and have 1 to 32 octets each.
#[must_use]
pub fn type_bitmap(mut octets: &[u8]) -> Option<Vec<u16>> {
    let mut types = Vec::new();
    let mut last = None;
    while let [window, length @ 1..=32, rest @ ..] = octets {
        let (block, rest) = rest.split_at_checked(usize::from(*length))?;
        if last >= Some(*window) {
            return None;
        }
        for (at, octet) in (0u16..).zip(block) {
            let first = (u16::from(*window) << 8) | (at << 3);
            types.extend(
                (0..8)
                    .filter(|bit| octet & (0x80 >> bit) != 0)
                    .map(|bit| first | bit),
            );
        }
        (last, octets) = (Some(*window), rest);
    }
    octets.is_empty().then_some(types)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn plain(wire: &[u8], from: usize, rtype: u16) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        decompress(wire, from..wire.len(), layout(rtype).unwrap(), &mut out).map(|()| out)
    }

    #[test]
    fn type_bitmaps_are_read() {
        assert_eq!(type_bitmap(b""), Some(vec![]));
        assert_eq!(
            type_bitmap(b"\x00\x01\x41\x01\x01\x80"),
            Some(vec![1, 7, 256])
        );
        assert_eq!(type_bitmap(b"\xff\x01\x00"), Some(vec![]));
        let last = [&[255, 32][..], &[0; 31], &[1]].concat();
        assert_eq!(type_bitmap(&last), Some(vec![65_535]));
        for wrong in [
            &b"\x00"[..],
            b"\x00\x00",
            b"\x00\x02\x40",
            b"\x01\x01\x40\x01\x01\x40",
            b"\x01\x01\x40\x00\x01\x40",
            &[&[0, 33][..], &[1; 33]].concat(),
        ] {
            assert_eq!(type_bitmap(wrong), None);
        }
    }

    #[test]
    fn names_are_uncompressed_in_place() {
        assert_eq!(
            plain(b"\x01a\x00\x00\x05\xc0\x00", 3, 15).unwrap(),
            b"\x00\x05\x01a\x00"
        );
        let mut soa = b"\x01a\x00\xc0\x00\x01b\xc0\x00".to_vec();
        soa.extend_from_slice(&[7; 20]);
        let out = plain(&soa, 3, 6).unwrap();
        assert_eq!(&out[..8], b"\x01a\x00\x01b\x01a\x00");
        assert_eq!(
            name_spans(&out, layout(6).unwrap()).unwrap(),
            vec![0..3, 3..8]
        );
    }

    #[test]
    fn fields_must_fill_the_rdata() {
        for (wire, rtype) in [
            (&b""[..], 2),
            (b"\x00x", 2),
            (b"\x00", 15),
            (b"\x00\x00\x00\x00\x09ab", 35),
            (b"\x00\x00\x00\x00\x00\x00\x00", 35),
            (b"\x00\x00\x00", 6),
        ] {
            assert_eq!(
                plain(wire, 0, rtype),
                Err(Fault::new(0, Reason::BadRdata)),
                "{wire:?} {rtype}"
            );
            assert_eq!(name_spans(wire, layout(rtype).unwrap()), None);
        }
        assert_eq!(
            plain(b"\x05ab", 0, 2).unwrap_err().reason,
            Reason::ShortName
        );
    }

    #[test]
    fn naptr_has_three_texts() {
        let wire = b"\x00\x01\x00\x02\x01u\x03sip\x00\x01a\x00";
        assert_eq!(plain(wire, 0, 35).unwrap(), wire);
        assert_eq!(name_spans(wire, layout(35).unwrap()).unwrap(), vec![11..14]);
    }
}
