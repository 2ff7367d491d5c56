//! Types by name, and the fields of their presentation form.

/// One field of a record's data as a master file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A decimal number of 8 bits.
    U8,
    /// A decimal number of 16 bits.
    U16,
    /// A decimal number of 32 bits.
    U32,
    /// Seconds, or a number with units as in `1h30m`.
    Period,
    /// A DNSSEC algorithm, by number or name (RFC 4034 appendix A.1).
    Algorithm,
    /// A point in time: `YYYYMMDDHHmmSS` in UTC or Unix seconds (RFC 4034 section 3.2).
    Time,
    /// A type, by name.
    Type,
    /// A domain name.
    Name,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A character string with its length before it.
    Text,
    /// One or more character strings.
    Texts,
    /// A string that fills the rest, without a length.
    LongText,
    /// Hexadecimal digits that fill the rest.
    Hex,
    /// Base 64 that fills the rest.
    Base64,
    /// A salt with its length before it: hexadecimal digits, or a hyphen (RFC 5155 section 3.3).
    Salt,
    /// A hash with its length before it, in base 32 with extended hex alphabet (RFC 5155 section 3.3).
    Hash,
    /// A type bitmap: the names of the types (RFC 4034 section 4.1.2).
    Types,
    /// Service parameters (RFC 9460 section 2.1).
    Parameters,
}

/// The fields of a type; None if only the form of RFC 3597 is read and written.
pub(super) const fn fields(rtype: u16) -> Option<&'static [Field]> {
    use Field::{
        Algorithm, Base64, Hash, Hex, Ipv4, Ipv6, LongText, Name, Parameters, Period, Salt, Text,
        Texts, Time, Type, Types, U16, U32, U8,
    };
    Some(match rtype {
        1 => &[Ipv4],
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 | 39 => &[Name], // NS MD MF CNAME MB MG MR PTR DNAME
        6 => &[Name, Name, U32, Period, Period, Period, Period], // SOA
        13 => &[Text, Text],                            // HINFO
        14 | 17 => &[Name, Name],                       // MINFO RP
        15 | 18 | 21 | 36 => &[U16, Name],              // MX AFSDB RT KX
        16 | 99 => &[Texts],                            // TXT SPF
        26 => &[U16, Name, Name],                       // PX
        28 => &[Ipv6],
        33 => &[U16, U16, U16, Name],                  // SRV
        35 => &[U16, U16, Text, Text, Text, Name],     // NAPTR
        37 => &[U16, U16, Algorithm, Base64],          // CERT
        43 | 59 | 32769 => &[U16, Algorithm, U8, Hex], // DS CDS DLV
        44 => &[U8, U8, Hex],                          // SSHFP
        46 => &[Type, Algorithm, U8, U32, Time, Time, U16, Name, Base64], // RRSIG
        47 => &[Name, Types],                          // NSEC
        25 | 48 | 60 => &[U16, U8, Algorithm, Base64], // KEY DNSKEY CDNSKEY
        49 | 61 => &[Base64],                          // DHCID OPENPGPKEY
        50 => &[U8, U8, U16, Salt, Hash, Types],       // NSEC3
        51 => &[U8, U8, U16, Salt],                    // NSEC3PARAM
        52 | 53 => &[U8, U8, U8, Hex],                 // TLSA SMIMEA
        62 => &[U32, U16, Types],                      // CSYNC
        63 => &[U32, U8, U8, Hex],                     // ZONEMD
        64 | 65 => &[U16, Name, Parameters],           // SVCB HTTPS
        256 => &[U16, U16, LongText],                  // URI
        257 => &[U8, Text, LongText],                  // CAA
        _ => return None,
    })
}

/// Names of types, the frequent ones first; the last ones are known by name only.
const NAMES: &[(&str, u16)] = &[
    ("NS", 2),
    ("RRSIG", 46),
    ("A", 1),
    ("AAAA", 28),
    ("NSEC3", 50),
    ("NSEC", 47),
    ("DS", 43),
    ("TXT", 16),
    ("MX", 15),
    ("CNAME", 5),
    ("SOA", 6),
    ("DNSKEY", 48),
    ("NSEC3PARAM", 51),
    ("PTR", 12),
    ("SRV", 33),
    ("CAA", 257),
    ("TLSA", 52),
    ("HTTPS", 65),
    ("SVCB", 64),
    ("ZONEMD", 63),
    ("DNAME", 39),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("SSHFP", 44),
    ("NAPTR", 35),
    ("HINFO", 13),
    ("RP", 17),
    ("SPF", 99),
    ("AFSDB", 18),
    ("CSYNC", 62),
    ("URI", 256),
    ("SMIMEA", 53),
    ("OPENPGPKEY", 61),
    ("DHCID", 49),
    ("CERT", 37),
    ("KEY", 25),
    ("KX", 36),
    ("DLV", 32769),
    ("MD", 3),
    ("MF", 4),
    ("MB", 7),
    ("MG", 8),
    ("MR", 9),
    ("MINFO", 14),
    ("RT", 21),
    ("PX", 26),
    ("LOC", 29),
    ("NULL", 10),
    ("WKS", 11),
    ("X25", 19),
    ("ISDN", 20),
    ("NSAP", 22),
    ("NSAP-PTR", 23),
    ("SIG", 24),
    ("GPOS", 27),
    ("NXT", 30),
    ("EID", 31),
    ("NIMLOC", 32),
    ("ATMA", 34),
    ("A6", 38),
    ("SINK", 40),
    ("APL", 42),
    ("IPSECKEY", 45),
    ("HIP", 55),
    ("NINFO", 56),
    ("RKEY", 57),
    ("TALINK", 58),
    ("DSYNC", 66),
    ("UINFO", 100),
    ("UID", 101),
    ("GID", 102),
    ("UNSPEC", 103),
    ("NID", 104),
    ("L32", 105),
    ("L64", 106),
    ("LP", 107),
    ("EUI48", 108),
    ("EUI64", 109),
    ("AVC", 258),
    ("DOA", 259),
    ("AMTRELAY", 260),
    ("RESINFO", 261),
    ("WALLET", 262),
    ("TA", 32768),
];

/// The type of that name, or of `TYPEnnn` (RFC 3597 section 5); case does not count.
pub(super) fn type_number(text: &[u8]) -> Option<u16> {
    let known = NAMES
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text));
    if let Some(&(_, number)) = known {
        return Some(number);
    }
    let (word, digits) = text.split_at_checked(4)?;
    let plain = word.eq_ignore_ascii_case(b"TYPE") && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// The name of a type, `TYPEnnn` if it has none.
#[must_use]
pub fn type_name(rtype: u16) -> String {
    let known = NAMES.iter().find(|(_, number)| *number == rtype);
    known.map_or_else(|| format!("TYPE{rtype}"), |(name, _)| (*name).to_owned())
}

const ALGORITHMS: &[(&str, u8)] = &[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("NSEC3DSA", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("NSEC3RSASHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECCGOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("SM2SM3", 17),
    ("ECC-GOST12", 23),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// The DNSSEC algorithm of that name.
pub(super) fn algorithm_number(text: &[u8]) -> Option<u8> {
    let known = ALGORITHMS
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(text));
    known.map(|&(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types() {
        assert_eq!(type_number(b"aaaa"), Some(28));
        assert_eq!(type_number(b"type65280"), Some(65280));
        assert_eq!(type_number(b"TYPE"), None);
        assert_eq!(type_number(b"TYPE65536"), None);
        assert_eq!(type_number(b"TYPE+1"), None);
        assert_eq!(type_number(b"WHAT"), None);
        assert_eq!(type_name(65280), "TYPE65280");
        for (name, number) in NAMES {
            assert_eq!(
                (type_number(name.as_bytes()), type_name(*number)),
                (Some(*number), (*name).to_owned())
            );
        }
    }
}
