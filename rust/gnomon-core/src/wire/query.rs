//! Composing queries, ordinary and odd ones (RFC 1035 section 4.1, RFC 6891 section 6.1).

use super::name::name_length;

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
    /// One option, or all together, exceed 65,535 octets.
    Options,
}

impl ComposeError {
    /// One sentence for a person.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Name => "the query name is not exactly one uncompressed domain name",
            Self::Options => "the EDNS options exceed 65535 octets",
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
    Ok(out)
}
