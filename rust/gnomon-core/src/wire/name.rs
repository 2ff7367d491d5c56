//! Domain names in messages: reading with decompression (RFC 1035 sections 3.1 and 4.1.4).

/// Longest name in octets, length octets and root label included (RFC 1035 section 3.1).
pub const MAX_NAME_OCTETS: usize = 255;

/// Most compression pointers followed for one name; a name of 255 octets has no more labels than that.
pub const MAX_POINTERS: usize = 127;

/// Why a part of a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The message has fewer octets than a header.
    ShortHeader,
    /// The octets end inside a name.
    ShortName,
    /// A label begins with the bits 01 or 10 (RFC 6891 section 5: extended label types are obsolete).
    LabelType,
    /// A compression pointer points forward.
    PointerForward,
    /// A compression pointer does not lead strictly backwards, or more than [`MAX_POINTERS`] follow each other.
    PointerLoop,
    /// The uncompressed name has more than [`MAX_NAME_OCTETS`] octets.
    NameTooLong,
    /// The octets end before or inside a question.
    ShortQuestion,
    /// The octets end before or inside the fixed part of a record.
    ShortRecord,
    /// The rdata length goes beyond the message.
    ShortRdata,
    /// The fields of the rdata do not fill it exactly.
    BadRdata,
    /// The reader itself failed; used by the binding only.
    Internal,
}

impl Reason {
    /// The stable word for this reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ShortHeader => "short-header",
            Self::ShortName => "short-name",
            Self::LabelType => "label-type",
            Self::PointerForward => "pointer-forward",
            Self::PointerLoop => "pointer-loop",
            Self::NameTooLong => "name-too-long",
            Self::ShortQuestion => "short-question",
            Self::ShortRecord => "short-record",
            Self::ShortRdata => "short-rdata",
            Self::BadRdata => "bad-rdata",
            Self::Internal => "internal",
        }
    }
}

/// Something that cannot be read: where it begins, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Octets from the start of the message to the label, pointer, fixed part or rdata at fault.
    pub offset: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl Fault {
    pub(crate) const fn new(offset: usize, reason: Reason) -> Self {
        Self { offset, reason }
    }
}

/// Append the name at `at` to `out`, uncompressed and with its case kept; returns the offset after it.
///
/// The octets before the first pointer must end at `end`. A pointer must lead to before the beginning of the
/// labels read so far, so each step goes strictly backwards (RFC 1035 section 4.1.4: "a prior occurrence").
///
/// # Errors
/// The first label or pointer that cannot be followed; `out` may then hold part of the name.
pub fn read_name(wire: &[u8], at: usize, end: usize, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let (mut at, mut limit) = (at, end.min(wire.len()));
    // The labels from `segment` to `at` are read but not yet copied; `copied` counts those before.
    let (mut segment, mut copied) = (at, 0);
    let mut after = None;
    let mut pointers = 0;
    loop {
        let length = match wire.get(at) {
            Some(&length) if at < limit => length,
            _ => return Err(Fault::new(at, Reason::ShortName)),
        };
        match length {
            0 => {
                out.extend_from_slice(wire.get(segment..=at).unwrap_or_default());
                return Ok(after.unwrap_or(at + 1));
            }
            1..=63 => {
                let next = at + 1 + usize::from(length);
                if next > limit {
                    return Err(Fault::new(at, Reason::ShortName));
                }
                // One octet is kept for the root label.
                if copied + next - segment >= MAX_NAME_OCTETS {
                    return Err(Fault::new(at, Reason::NameTooLong));
                }
                at = next;
            }
            192..=255 => {
                let low = match wire.get(at + 1) {
                    Some(&low) if at + 1 < limit => low,
                    _ => return Err(Fault::new(at, Reason::ShortName)),
                };
                let target = usize::from(u16::from_be_bytes([length & 63, low]));
                pointers += 1;
                if target > at {
                    return Err(Fault::new(at, Reason::PointerForward));
                }
                if target >= segment || pointers > MAX_POINTERS {
                    return Err(Fault::new(at, Reason::PointerLoop));
                }
                out.extend_from_slice(wire.get(segment..at).unwrap_or_default());
                copied += at - segment;
                after = after.or(Some(at + 2));
                (at, segment, limit) = (target, target, wire.len());
            }
            _ => return Err(Fault::new(at, Reason::LabelType)),
        }
    }
}

/// The length in octets of the uncompressed name that `octets` begin with; None if they do not.
#[must_use]
pub fn name_length(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *octets.get(at)? {
            0 if at < MAX_NAME_OCTETS => return Some(at + 1),
            length @ 1..=63 if at < MAX_NAME_OCTETS => at += usize::from(length) + 1,
            _ => return None,
        }
    }
}

/// The number of labels of an uncompressed name, the root label not counted (RFC 4034 section 3.1.3);
/// None if `name` is not exactly one name.
#[must_use]
pub fn label_count(name: &[u8]) -> Option<usize> {
    if name_length(name)? != name.len() {
        return None;
    }
    let (mut at, mut count) = (0, 0);
    while let Some(&length @ 1..) = name.get(at) {
        at += usize::from(length) + 1;
        count += 1;
    }
    Some(count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn read(wire: &[u8], at: usize) -> Result<(usize, Vec<u8>), Fault> {
        let mut out = Vec::new();
        read_name(wire, at, wire.len(), &mut out).map(|end| (end, out))
    }

    #[test]
    fn plain_and_compressed() {
        let wire = b"\x01a\x00\x01B\xc0\x00\xc0\x03";
        assert_eq!(read(wire, 0), Ok((3, b"\x01a\x00".to_vec())));
        assert_eq!(read(wire, 3), Ok((7, b"\x01B\x01a\x00".to_vec())));
        assert_eq!(read(wire, 7), Ok((9, b"\x01B\x01a\x00".to_vec())));
    }

    #[test]
    fn pointers_go_strictly_backwards() {
        assert_eq!(
            read(b"\xc0\x00", 0),
            Err(Fault::new(0, Reason::PointerLoop))
        );
        assert_eq!(
            read(b"\xc0\x02\x00", 0),
            Err(Fault::new(0, Reason::PointerForward))
        );
        assert_eq!(
            read(b"\x01a\xc0\x00", 0),
            Err(Fault::new(2, Reason::PointerLoop))
        );
        // Two names that point at each other: the second step is forward or not strictly backward.
        assert_eq!(
            read(b"\xc0\x02\xc0\x00", 2),
            Err(Fault::new(0, Reason::PointerForward))
        );
        assert_eq!(
            read(b"\x01a\x01b\xc0\x00", 2),
            Err(Fault::new(4, Reason::PointerLoop))
        );
    }

    #[test]
    fn long_chains_of_pointers_stop() {
        let mut wire = vec![0, 0];
        for at in (0u16..400).step_by(2) {
            wire.extend_from_slice(&(0xc000 | at).to_be_bytes());
        }
        assert_eq!(read(&wire, 2 * MAX_POINTERS).unwrap().1, b"\x00");
        assert_eq!(
            read(&wire, 2 * MAX_POINTERS + 2).unwrap_err().reason,
            Reason::PointerLoop
        );
    }

    #[test]
    fn limits_of_length() {
        let mut wire = Vec::new();
        for _ in 0..127 {
            wire.extend_from_slice(b"\x01a");
        }
        wire.push(0);
        assert_eq!(read(&wire, 0).unwrap().0, 255);
        assert_eq!(name_length(&wire), Some(255));
        assert_eq!(label_count(&wire), Some(127));
        wire.splice(0..0, *b"\x01a");
        assert_eq!(read(&wire, 0), Err(Fault::new(254, Reason::NameTooLong)));
        assert_eq!(name_length(&wire), None);
    }

    #[test]
    fn short_and_reserved() {
        assert_eq!(read(b"", 0), Err(Fault::new(0, Reason::ShortName)));
        assert_eq!(read(b"\x03ab", 0), Err(Fault::new(0, Reason::ShortName)));
        assert_eq!(read(b"\x01a", 0), Err(Fault::new(2, Reason::ShortName)));
        assert_eq!(read(b"\x00\xc0", 1), Err(Fault::new(1, Reason::ShortName)));
        assert_eq!(read(b"\x41a\x00", 0), Err(Fault::new(0, Reason::LabelType)));
        assert_eq!(read(b"\x80a\x00", 0), Err(Fault::new(0, Reason::LabelType)));
        assert_eq!(label_count(b"\x01a\x00x"), None);
        assert_eq!(label_count(b"\x00"), Some(0));
    }

    #[test]
    fn the_end_holds_only_in_place() {
        let wire = b"\x01a\x00\xc0\x00\x01b\x00";
        let mut out = Vec::new();
        assert_eq!(read_name(wire, 3, 5, &mut out), Ok(5));
        assert_eq!(
            read_name(wire, 3, 4, &mut out).unwrap_err().reason,
            Reason::ShortName
        );
        assert_eq!(
            read_name(wire, 5, 7, &mut out).unwrap_err().reason,
            Reason::ShortName
        );
    }
}
