//! The records of a zone in canonical order, in little memory.

use super::parser::Record;
use crate::dnssec::canonical_rdata;

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const AAAA: u16 = 28;
pub(super) const DNAME: u16 = 39;
pub(super) const DS: u16 = 43;
pub(super) const RRSIG: u16 = 46;
pub(super) const NSEC: u16 = 47;
pub(super) const DNSKEY: u16 = 48;
pub(super) const NSEC3: u16 = 50;
pub(super) const NSEC3PARAM: u16 = 51;
pub(super) const ZONEMD: u16 = 63;

/// Offsets count in steps of so many octets, so 32 bits reach 16 GiB.
const STEP: usize = 4;

const FULL: &str = "the zone exceeds 16 GiB of names or data, or 4 billion records";

/// A name as octets that sort as names do (RFC 4034 section 6.1): its labels from the root down in lower case, each
/// with an octet 0 after it; 0 and 1 within a label are written 1 1 and 1 2. A name is at or below another exactly
/// if its key begins with the other's.
pub(super) fn put_key(name: &[u8], out: &mut Vec<u8>) {
    let mut labels: [&[u8]; 128] = [&[]; 128];
    let mut count = 0;
    let mut rest = name;
    while let Some((&length @ 1.., after)) = rest.split_first() {
        let Some((label, after)) = after.split_at_checked(usize::from(length)) else {
            break;
        };
        if let Some(slot) = labels.get_mut(count) {
            *slot = label;
            count += 1;
        }
        rest = after;
    }
    for label in labels.get(..count).unwrap_or_default().iter().rev() {
        for octet in *label {
            match octet.to_ascii_lowercase() {
                low @ (0 | 1) => out.extend_from_slice(&[1, low + 1]),
                other => out.push(other),
            }
        }
        out.push(0);
    }
}

/// The key of a name.
pub(super) fn key_of(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    put_key(name, &mut out);
    out
}

/// Append the name of a key in wire form.
pub(super) fn put_name_of(key: &[u8], out: &mut Vec<u8>) {
    for label in key.split(|&octet| octet == 0).rev().skip(1) {
        let at = out.len();
        out.push(0);
        let mut octets = label.iter();
        while let Some(&octet) = octets.next() {
            let octet = match octet {
                1 => octets.next().map_or(0, |low| low - 1),
                _ => octet,
            };
            out.push(octet);
        }
        let length = u8::try_from(out.len() - at - 1).unwrap_or_default();
        if let Some(octet) = out.get_mut(at) {
            *octet = length;
        }
    }
    out.push(0);
}

/// The key of the parent; that of the root is empty and has none.
pub(super) fn parent_key(key: &[u8]) -> Option<&[u8]> {
    let labels = key.split_last()?.1;
    let end = labels
        .iter()
        .rposition(|&octet| octet == 0)
        .map_or(0, |at| at + 1);
    labels.get(..end)
}

#[derive(Clone, Copy, Debug)]
struct Span {
    step: u32,
    length: u16,
}

/// One record: its owner is the name of that rank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) name: u32,
    pub(super) ttl_s: u32,
    pub(super) line: u32,
    step: u32,
    length: u16,
    pub(super) rtype: u16,
}

/// Takes records in any order.
#[derive(Debug, Default)]
pub struct ZoneBuilder {
    keys: Vec<u8>,
    names: Vec<Span>,
    rows: Vec<Row>,
    data: Vec<u8>,
    key: Vec<u8>,
    soa_name: Option<u32>,
}

/// A whole zone, sorted: by owner in canonical order, then type, then record data in canonical form.
#[derive(Debug, Default)]
pub struct Zone {
    keys: Vec<u8>,
    names: Vec<Span>,
    rows: Vec<Row>,
    data: Vec<u8>,
    /// Where the rows of each name begin; one more than names.
    starts: Vec<u32>,
    apex: Option<u32>,
    apex_key: Vec<u8>,
}

fn append(arena: &mut Vec<u8>, octets: &[u8]) -> Result<Span, &'static str> {
    let step = u32::try_from(arena.len() / STEP).map_err(|_| FULL)?;
    arena.extend_from_slice(octets);
    arena.resize(arena.len().next_multiple_of(STEP), 0);
    let length = u16::try_from(octets.len()).map_err(|_| FULL)?;
    Ok(Span { step, length })
}

fn slice(arena: &[u8], step: u32, length: u16) -> &[u8] {
    let at = step as usize * STEP;
    arena.get(at..at + usize::from(length)).unwrap_or_default()
}

impl ZoneBuilder {
    /// Take one record.
    ///
    /// # Errors
    /// The zone is too large.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), &'static str> {
        if !record.same_owner || self.names.is_empty() {
            self.key.clear();
            put_key(record.owner, &mut self.key);
            let span = append(&mut self.keys, &self.key)?;
            self.names.push(span);
        }
        let name = u32::try_from(self.names.len() - 1).map_err(|_| FULL)?;
        if self.rows.len() >= u32::MAX as usize {
            return Err(FULL);
        }
        let span = append(&mut self.data, &canonical_rdata(record.rtype, record.rdata))?;
        if record.rtype == SOA && self.soa_name.is_none() {
            self.soa_name = Some(name);
        }
        self.rows.push(Row {
            name,
            ttl_s: record.ttl_s,
            line: record.line,
            step: span.step,
            length: span.length,
            rtype: record.rtype,
        });
        Ok(())
    }

    /// Sort. The apex is `origin` if it is given, else the owner of the first SOA record.
    #[must_use]
    pub fn finish(self, origin: Option<&[u8]>) -> Zone {
        let Self {
            keys,
            names,
            mut rows,
            data,
            soa_name,
            ..
        } = self;
        let key_at = |id: u32| {
            let span = names.get(id as usize);
            span.map_or(&[][..], |span| slice(&keys, span.step, span.length))
        };
        let apex_key = origin
            .map(key_of)
            .or_else(|| soa_name.map(|id| key_at(id).to_vec()));
        let mut order: Vec<u32> = (0..u32::try_from(names.len()).unwrap_or(u32::MAX)).collect();
        order.sort_by(|a, b| key_at(*a).cmp(key_at(*b)));
        let mut ranks = vec![0u32; names.len()];
        let mut sorted: Vec<Span> = Vec::with_capacity(names.len());
        let mut before: Option<&[u8]> = None;
        for id in order {
            let key = key_at(id);
            if before != Some(key) {
                sorted.extend(names.get(id as usize));
                before = Some(key);
            }
            if let Some(rank) = ranks.get_mut(id as usize) {
                *rank = u32::try_from(sorted.len() - 1).unwrap_or(u32::MAX);
            }
        }
        for row in &mut rows {
            row.name = ranks.get(row.name as usize).copied().unwrap_or_default();
        }
        drop(ranks);
        rows.sort_unstable_by(|a, b| {
            (a.name, a.rtype)
                .cmp(&(b.name, b.rtype))
                .then_with(|| slice(&data, a.step, a.length).cmp(slice(&data, b.step, b.length)))
                .then_with(|| (a.ttl_s, a.line).cmp(&(b.ttl_s, b.line)))
        });
        let mut starts = Vec::with_capacity(sorted.len() + 1);
        let mut at = 0u32;
        for rows in rows.chunk_by(|a, b| a.name == b.name) {
            starts.push(at);
            at += u32::try_from(rows.len()).unwrap_or_default();
        }
        starts.push(at);
        let mut zone = Zone {
            keys,
            names: sorted,
            rows,
            data,
            starts,
            apex: None,
            apex_key: apex_key.clone().unwrap_or_default(),
        };
        zone.apex = apex_key.and_then(|key| zone.find(&key).ok());
        zone
    }
}

impl Zone {
    /// The number of records.
    #[must_use]
    pub fn records(&self) -> usize {
        self.rows.len()
    }

    /// The apex in wire form, in lower case; None if it is not known or has no record.
    #[must_use]
    pub fn apex_name(&self) -> Option<Vec<u8>> {
        self.apex.map(|rank| self.name(rank))
    }

    pub(super) const fn apex(&self) -> Option<u32> {
        self.apex
    }

    pub(super) fn apex_key(&self) -> &[u8] {
        &self.apex_key
    }

    /// All ranks: names in canonical order, each with at least one record.
    pub(super) fn ranks(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.names.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn key(&self, rank: u32) -> &[u8] {
        let span = self.names.get(rank as usize);
        span.map_or(&[], |span| slice(&self.keys, span.step, span.length))
    }

    /// A name in wire form, in lower case.
    pub(super) fn name(&self, rank: u32) -> Vec<u8> {
        let key = self.key(rank);
        let mut out = Vec::with_capacity(key.len() + 1);
        put_name_of(key, &mut out);
        out
    }

    /// The rank of the name with that key, or where it would be.
    pub(super) fn find(&self, key: &[u8]) -> Result<u32, u32> {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.names
            .binary_search_by(|span| slice(&self.keys, span.step, span.length).cmp(key))
            .map(number)
            .map_err(number)
    }

    /// The rows of a name.
    pub(super) fn rows_of(&self, rank: u32) -> &[Row] {
        let at = rank as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => self
                .rows
                .get(from as usize..to as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// The RRsets of a name in order of type.
    pub(super) fn rrsets(&self, rank: u32) -> impl Iterator<Item = &[Row]> {
        self.rows_of(rank).chunk_by(|a, b| a.rtype == b.rtype)
    }

    /// The rows of one type at a name.
    pub(super) fn rrset(&self, rank: u32, rtype: u16) -> &[Row] {
        let rows = self.rows_of(rank);
        let from = rows.partition_point(|row| row.rtype < rtype);
        let to = rows.partition_point(|row| row.rtype <= rtype);
        rows.get(from..to).unwrap_or_default()
    }

    /// All rows in canonical order.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Record data in canonical form.
    pub(super) fn rdata(&self, row: &Row) -> &[u8] {
        slice(&self.data, row.step, row.length)
    }
}

/// The line of the record that comes first in the file.
pub(super) fn first_line(rows: &[Row]) -> u32 {
    rows.iter().map(|row| row.line).min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_rfc_4034_says() {
        let names: [&[u8]; 9] = [
            b"\x07example\x00",
            b"\x01a\x07example\x00",
            b"\x08yljkjljk\x01a\x07example\x00",
            b"\x01Z\x01a\x07example\x00",
            b"\x04zABC\x01a\x07EXAMPLE\x00",
            b"\x01z\x07example\x00",
            b"\x01\x01\x01z\x07example\x00",
            b"\x01*\x01z\x07example\x00",
            b"\x01\xc8\x01z\x07example\x00",
        ];
        assert!(names.is_sorted_by_key(|name| key_of(name)));
        for name in names {
            let mut back = Vec::new();
            put_name_of(&key_of(name), &mut back);
            assert_eq!(back, name.to_ascii_lowercase());
        }
        let zeros = [
            key_of(b"\x01\x00\x00"),
            key_of(b"\x02\x00\x00\x00"),
            key_of(b"\x01\x01\x00"),
        ];
        assert!(zeros.is_sorted());
        assert_eq!(parent_key(b"com\0a\0"), Some(&b"com\0"[..]));
        assert_eq!(parent_key(b"com\0"), Some(&b""[..]));
        assert_eq!(parent_key(b""), None);
    }
}
