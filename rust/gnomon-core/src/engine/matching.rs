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

/// What keeps octets from being the answer of a query. The numbers are those of `gnomon.engine.Mismatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mismatch {
    /// No query with this ID waits, or it is no response at all.
    Id = 1,
    /// From the address that was asked, but from another port.
    Port = 2,
    Address = 3,
    Question = 4,
    /// The letters of the name are not as they were mixed (draft-vixie-dnsext-dns0x20).
    Case = 5,
    /// It carries another client cookie than the query (RFC 7873 section 5.3).
    Cookie = 6,
    /// The answer of an attempt that is over.
    Late = 7,
    /// Nothing that was asked has to do with it.
    Stray = 8,
}

impl Mismatch {
    pub const COUNT: usize = 8;
}

/// What is compared in answers besides address and port.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected {
    /// See `question_name_end`.
    pub name_end: Option<usize>,
    pub exact_case: bool,
    pub cookie: Option<[u8; 8]>,
}

impl Expected {
    pub fn new(query: &[u8], exact_case: bool) -> Self {
        let name_end = question_name_end(query);
        Self {
            name_end,
            exact_case,
            cookie: client_cookie(query),
        }
    }

    /// What of `response` does not fit `query`; None if it is its answer.
    ///
    /// A response without any question is accepted too: servers send such errors (RFC 8906). Without a question to
    /// compare, ID and QR decide. `on_path` (a connection): nobody else can have sent it, so neither letter case nor
    /// cookie matter; that a server spoils them is for the evidence to tell.
    pub fn mismatch(&self, query: &[u8], response: &[u8], on_path: bool) -> Option<Mismatch> {
        let has_qr = response.get(2).is_some_and(|octet| octet & 0x80 != 0);
        if response.len() < HEADER_OCTETS || !has_qr || id(query) != id(response) {
            return Some(Mismatch::Id);
        }
        if let Some(end) = self.name_end.filter(|_| u16_at(response, 4) != Some(0)) {
            if !same_question(query, end, response) {
                return Some(Mismatch::Question);
            }
            if self.exact_case
                && !on_path
                && query.get(..end).map(skip) != response.get(..end).map(skip)
            {
                return Some(Mismatch::Case);
            }
        }
        let sent = self.cookie.filter(|_| !on_path)?;
        let heard = client_cookie(response)?;
        (sent != heard).then_some(Mismatch::Cookie)
    }
}

/// All after ID, flags and counts.
fn skip(message: &[u8]) -> &[u8] {
    message.get(HEADER_OCTETS..).unwrap_or_default()
}

const TYPE_OPT: u16 = 41;
const OPTION_COOKIE: u16 = 10;

/// The client cookie in the first OPT record, if there is one that can be read (RFC 7873 section 4).
pub fn client_cookie(message: &[u8]) -> Option<[u8; 8]> {
    let mut at = HEADER_OCTETS;
    for _ in 0..u16_at(message, 4)? {
        at = name_end(message, at)? + 4;
    }
    let other = u32::from(u16_at(message, 6)?) + u32::from(u16_at(message, 8)?);
    let records = other + u32::from(u16_at(message, 10)?);
    for number in 0..records {
        let fixed = name_end(message, at)?;
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        if number >= other && u16_at(message, fixed) == Some(TYPE_OPT) {
            return cookie_option(message.get(data..end)?);
        }
        at = end;
    }
    None
}

fn cookie_option(mut options: &[u8]) -> Option<[u8; 8]> {
    loop {
        let (code, length) = (u16_at(options, 0)?, usize::from(u16_at(options, 2)?));
        let value = options.get(4..4 + length)?;
        if code == OPTION_COOKIE {
            return value.get(..8)?.try_into().ok();
        }
        options = options.get(4 + length..)?;
    }
}

/// Where the name at `at` ends, compressed or not.
fn name_end(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length < 64 => at += usize::from(length) + 1,
            length if length >= 192 => return Some(at + 2),
            _ => return None,
        }
    }
}

/// True if a query may share a connection: what is odd may make a server close it, and a transfer may fill it.
pub fn may_share(query: &[u8], name_end: Option<usize>) -> bool {
    let is_standard = query.get(2).is_some_and(|flags| flags & 0xf8 == 0);
    let qtype = name_end.and_then(|end| u16_at(query, end));
    is_standard
        && u16_at(query, 4) == Some(1)
        && qtype.is_some_and(|code| !matches!(code, 251 | 252))
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
        assert_eq!(question_name_end(&query), Some(12 + NAME.len()));
        let judge =
            |response: &[u8]| Expected::new(&query, false).mismatch(&query, response, false);
        let upper = message(7, 0x8400, b"\x07EXAMPLE\x04test\x00", 6);
        assert_eq!(judge(&message(7, 0x8400, NAME, 6)), None);
        assert_eq!(judge(&upper), None);
        assert_eq!(judge(&[0, 7, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        for wrong in [
            message(8, 0x8400, NAME, 6),
            message(7, 0x0400, NAME, 6),
            vec![0, 7, 0x84],
            vec![],
        ] {
            assert_eq!(judge(&wrong), Some(Mismatch::Id));
        }
        for wrong in [
            message(7, 0x8400, NAME, 2),
            message(7, 0x8400, b"\x07example\x04tesu\x00", 6),
            message(7, 0x8400, b"\x00", 6),
            message(7, 0x8400, NAME, 6)[..12].to_vec(),
        ] {
            assert_eq!(judge(&wrong), Some(Mismatch::Question));
        }
        let exact = Expected::new(&query, true);
        assert_eq!(exact.mismatch(&query, &upper, false), Some(Mismatch::Case));
        assert_eq!(exact.mismatch(&query, &upper, true), None);
        assert_eq!(
            exact.mismatch(&query, &message(7, 0x8400, NAME, 6), false),
            None
        );
    }

    #[test]
    fn types_are_not_compared_like_letters() {
        let query = message(7, 0, NAME, 0x0041);
        let other = message(7, 0x8400, NAME, 0x0061);
        assert_eq!(
            Expected::new(&query, false).mismatch(&query, &other, false),
            Some(Mismatch::Question)
        );
    }

    #[test]
    fn a_query_without_readable_question_is_matched_by_id() {
        let mut query = message(7, 0, b"\xc0\x0c", 6);
        assert_eq!(question_name_end(&query), None);
        let answer = message(7, 0x8001, NAME, 6);
        assert_eq!(
            Expected::new(&query, true).mismatch(&query, &answer, false),
            None
        );
        query.truncate(14);
        assert_eq!(question_name_end(&query), None);
        assert_eq!(question_name_end(&query[..3]), None);
    }

    /// With an OPT record after one answer record; the options as they are.
    fn with_options(flags: u16, options: &[u8]) -> Vec<u8> {
        let mut out = message(7, flags, NAME, 6);
        out[7] = 1;
        out[11] = 1;
        out.extend(b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x7f\0\0\x01");
        out.extend(b"\0\0\x29\x04\xd0\0\0\0\0");
        out.extend((options.len() as u16).to_be_bytes());
        out.extend(options);
        out
    }

    #[test]
    fn another_client_cookie_is_a_mismatch() {
        let query = with_options(0, b"\0\x03\0\0\0\x0a\0\x08ABCDEFGH");
        let expected = Expected::new(&query, false);
        assert_eq!(expected.cookie, Some(*b"ABCDEFGH"));
        let judge = |options: &[u8], on_path| {
            expected.mismatch(&query, &with_options(0x8000, options), on_path)
        };
        assert_eq!(judge(b"\0\x0a\0\x10ABCDEFGH12345678", false), None);
        assert_eq!(
            judge(b"\0\x0a\0\x10ABCDEFGX12345678", false),
            Some(Mismatch::Cookie)
        );
        assert_eq!(judge(b"\0\x0a\0\x10ABCDEFGX12345678", true), None);
        // None, or none that can be read: a server without cookies.
        for poor in [&b""[..], b"\0\x0a\0\x04ABCD", b"\0\x0a\0\x40A", b"\0"] {
            assert_eq!(judge(poor, false), None);
        }
        for cut in 0..query.len() {
            client_cookie(&query[..cut]);
        }
    }

    #[test]
    fn odd_queries_and_transfers_have_a_connection_of_their_own() {
        let share = |query: &[u8]| may_share(query, question_name_end(query));
        assert!(share(&message(7, 0x0100, NAME, 6)));
        assert!(!share(&message(7, 0, NAME, 252)));
        assert!(!share(&message(7, 0x7800, NAME, 6)));
        assert!(!share(&message(7, 0, b"\xc0\x0c", 6)));
        assert!(!share(&[0; 12]));
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
