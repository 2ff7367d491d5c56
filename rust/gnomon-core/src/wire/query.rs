//! Composing queries, ordinary and odd ones (RFC 1035 section 4.1, RFC 6891 section 6.1).

use super::name::name_length;
use super::MAX_MESSAGE_OCTETS;

/// What goes into the OPT record of a query.
#[derive(Clone, Debug)]
pub struct Edns<'a> {
    /// EDNS version.
    pub version: u8,
    /// The sender's UDP payload size in octets.
    pub udp_size: u16,
    /// The 16 flag bits, DO = 0x8000.
    pub flags: u16,
    /// (code, data) in this order.
    pub options: Vec<(u16, &'a [u8])>,
}

/// Why a query cannot be composed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComposeError {
    /// The octets are not exactly one uncompressed name.
    Name,
    /// With the options the message exceeds 65,535 octets.
    Options,
}

impl ComposeError {
    /// One sentence for a person.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Name => "the query name is not exactly one uncompressed domain name",
            Self::Options => "with the EDNS options the message exceeds 65535 octets",
        }
    }
}

/// One query message with ID 0 and one question; `flags` are the 16 bits after the ID, raw.
///
/// # Errors
/// See [`ComposeError`].
pub fn compose_query(
    qname: &[u8],
    qtype: u16,
    qclass: u16,
    flags: u16,
    edns: Option<&Edns<'_>>,
) -> Result<Vec<u8>, ComposeError> {
    if name_length(qname) != Some(qname.len()) {
        return Err(ComposeError::Name);
    }
    let mut out = Vec::with_capacity(64);
    for word in [0, flags, 1, 0, 0, u16::from(edns.is_some())] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(qname);
    out.extend_from_slice(&qtype.to_be_bytes());
    out.extend_from_slice(&qclass.to_be_bytes());
    if let Some(edns) = edns {
        let mut rdata = Vec::new();
        for (code, data) in &edns.options {
            let length = u16::try_from(data.len()).map_err(|_| ComposeError::Options)?;
            rdata.extend_from_slice(&code.to_be_bytes());
            rdata.extend_from_slice(&length.to_be_bytes());
            rdata.extend_from_slice(data);
        }
        let length = u16::try_from(rdata.len()).map_err(|_| ComposeError::Options)?;
        out.extend_from_slice(&[0, 0, 41]);
        out.extend_from_slice(&edns.udp_size.to_be_bytes());
        out.extend_from_slice(&[0, edns.version]);
        out.extend_from_slice(&edns.flags.to_be_bytes());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&rdata);
    }
    if out.len() > MAX_MESSAGE_OCTETS {
        return Err(ComposeError::Options);
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::{parse_options, Message};

    #[test]
    fn reads_back() {
        let edns = Edns {
            version: 1,
            udp_size: 1232,
            flags: 0x8040,
            options: vec![(3, b""), (65001, b"abcd")],
        };
        let wire = compose_query(b"\x01A\x00", 65280, 3, 0x7910, Some(&edns)).unwrap();
        let message = Message::parse(&wire);
        assert_eq!(
            (message.id(), message.flags(), message.counts()),
            (0, 0x7910, [1, 0, 0, 1])
        );
        assert_eq!(
            message.questions().collect::<Vec<_>>(),
            [(&b"\x01A\x00"[..], 65280, 3)]
        );
        let opt = message.opts().next().unwrap();
        assert_eq!(
            (opt.owner, opt.rclass, opt.ttl),
            (&b"\x00"[..], 1232, 0x0001_8040)
        );
        assert_eq!(parse_options(opt.rdata), (edns.options.clone(), true));
        assert_eq!((message.malformed(), message.trailing_octets()), (None, 0));
        assert_eq!(compose_query(b"\x00", 2, 1, 0, None).unwrap().len(), 17);
    }

    #[test]
    fn refuses_what_no_message_can_hold() {
        for name in [&b""[..], b"\x01a", b"\x00\x00", b"\xc0\x0c"] {
            assert_eq!(compose_query(name, 1, 1, 0, None), Err(ComposeError::Name));
        }
        let most = MAX_MESSAGE_OCTETS - 17 - 11 - 4;
        for (octets, many) in [(40_000, 2), (most + 1, 1), (most, 1)] {
            let data = vec![0; octets];
            let edns = Edns {
                version: 0,
                udp_size: 512,
                flags: 0,
                options: vec![(1, &data[..]); many],
            };
            let composed = compose_query(b"\x00", 1, 1, 0, Some(&edns)).map(|wire| wire.len());
            let wanted = if octets == most {
                Ok(MAX_MESSAGE_OCTETS)
            } else {
                Err(ComposeError::Options)
            };
            assert_eq!(composed, wanted);
        }
    }
}
