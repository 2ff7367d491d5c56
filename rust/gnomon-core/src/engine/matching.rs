//! Which octets answer which query: the only part of a message that the I/O thread reads.

use super::entropy::Entropy;

/// ID, flags and counts (RFC 1035 section 4.1.1).
pub const HEADER_OCTETS: usize = 12;

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets
        .get(at..at + 2)
        .and_then(|pair| pair.try_into().ok())
        .map(u16::from_be_bytes)
}

/// The message ID, if there are two octets.
pub fn id(message: &[u8]) -> Option<u16> {
    u16_at(message, 0)
}

pub fn set_id(message: &mut [u8], id: u16) {
    if let Some(field) = message.get_mut(..2) {
        field.copy_from_slice(&id.to_be_bytes());
    }
}

/// TC bit of a message that has a header.
pub fn is_truncated(message: &[u8]) -> bool {
    message.get(2).is_some_and(|octet| octet & 0x02 != 0)
}

/// Where the name of the first question ends, if there is one that can be read.
///
/// A query is ours, but may be malformed on purpose: then there is no question to compare.
pub fn question_name_end(query: &[u8]) -> Option<usize> {
    if u16_at(query, 4)? == 0 {
        return None;
    }
    let mut at = HEADER_OCTETS;
    loop {
        match *query.get(at)? {
            0 => break,
            length if length < 64 => at += usize::from(length) + 1,
            _ => return None,
        }
    }
    query.get(at + 1..at + 5)?;
    Some(at + 1)
}

/// True if `response` answers `query`: same ID, QR set, same first question.
///
/// The name is compared without case, so that a server that loses the case is heard; whether it did is for the
/// evidence to tell. A response without any question is accepted too: servers send such errors (RFC 8906).
/// `name_end` is `question_name_end(query)`; without a question to compare, ID and QR decide.
pub fn answers(query: &[u8], name_end: Option<usize>, response: &[u8]) -> bool {
    let has_qr = response.get(2).is_some_and(|octet| octet & 0x80 != 0);
    if response.len() < HEADER_OCTETS || !has_qr || id(query) != id(response) {
        return false;
    }
    u16_at(response, 4) == Some(0) || name_end.is_none_or(|end| same_question(query, end, response))
}

/// True if both messages begin with the same question; the name of the first one's ends at `name_end`.
pub fn same_question(query: &[u8], name_end: usize, other: &[u8]) -> bool {
    let type_and_class = name_end..name_end + 4;
    let Some(heard) = other.get(HEADER_OCTETS..name_end) else {
        return false;
    };
    query
        .get(HEADER_OCTETS..name_end)
        .is_some_and(|asked| asked.eq_ignore_ascii_case(heard))
        && query.get(type_and_class.clone()) == other.get(type_and_class)
}

/// Give every letter of the first question's name a random case (draft-vixie-dnsext-dns0x20).
pub fn mix_case(query: &mut [u8], name_end: Option<usize>, entropy: &mut Entropy) {
    let Some(name) = name_end.and_then(|end| query.get_mut(HEADER_OCTETS..end)) else {
        return;
    };
    let (mut bits, mut left) = (0u8, 0u8);
    // A label length is under 64 and so never a letter.
    for octet in name.iter_mut().filter(|octet| octet.is_ascii_alphabetic()) {
        if left == 0 {
            (bits, left) = (entropy.u8(), 8);
        }
        *octet = if bits & 1 == 0 {
            octet.to_ascii_lowercase()
        } else {
            octet.to_ascii_uppercase()
        };
        bits >>= 1;
        left -= 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Header with one question, then `name`, type and class.
    fn message(id: u16, flags: u16, name: &[u8], rtype: u16) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [id, flags, 1, 0, 0, 0] {
            out.extend(word.to_be_bytes());
        }
        out.extend(name);
        out.extend(rtype.to_be_bytes());
        out.extend(1u16.to_be_bytes());
        out
    }

    const NAME: &[u8] = b"\x07example\x04test\x00";

    #[test]
    fn an_answer_has_id_question_and_qr() {
        let query = message(7, 0, NAME, 6);
        let end = question_name_end(&query);
        assert_eq!(end, Some(12 + NAME.len()));
        assert!(answers(&query, end, &message(7, 0x8400, NAME, 6)));
        assert!(answers(
            &query,
            end,
            &message(7, 0x8400, b"\x07EXAMPLE\x04test\x00", 6)
        ));
        assert!(!answers(&query, end, &message(8, 0x8400, NAME, 6)));
        assert!(!answers(&query, end, &message(7, 0x0400, NAME, 6)));
        assert!(!answers(&query, end, &message(7, 0x8400, NAME, 2)));
        assert!(!answers(
            &query,
            end,
            &message(7, 0x8400, b"\x07example\x04tesu\x00", 6)
        ));
        assert!(!answers(&query, end, &message(7, 0x8400, b"\x00", 6)));
        assert!(!answers(&query, end, &message(7, 0x8400, NAME, 6)[..12]));
        assert!(!answers(&query, end, b"\x00\x07\x84"));
        assert!(!answers(&query, end, b""));
        assert!(answers(
            &query,
            end,
            &[0, 7, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]
        ));
    }

    #[test]
    fn types_are_not_compared_like_letters() {
        let query = message(7, 0, NAME, 0x0041);
        assert!(!answers(
            &query,
            question_name_end(&query),
            &message(7, 0x8400, NAME, 0x0061)
        ));
    }

    #[test]
    fn a_query_without_readable_question_is_matched_by_id() {
        let mut query = message(7, 0, b"\xc0\x0c", 6);
        assert_eq!(question_name_end(&query), None);
        assert!(answers(&query, None, &message(7, 0x8001, NAME, 6)));
        query.truncate(14);
        assert_eq!(question_name_end(&query), None);
        assert_eq!(question_name_end(&query[..3]), None);
    }

    #[test]
    fn case_mixing_changes_only_case() {
        let mut entropy = Entropy::new().unwrap();
        let plain = message(7, 0, NAME, 0x6161);
        let end = question_name_end(&plain);
        let mixed: Vec<Vec<u8>> = (0..20)
            .map(|_| {
                let mut query = plain.clone();
                mix_case(&mut query, end, &mut entropy);
                query
            })
            .collect();
        for query in &mixed {
            assert!(query.eq_ignore_ascii_case(&plain));
            assert_eq!(query[end.unwrap()..], plain[end.unwrap()..]);
        }
        // 11 letters, 20 draws: all alike has a chance of 2^-209.
        assert!(mixed.iter().any(|query| query != &mixed[0]));
    }
}
