//! What is different between two versions of a zone.

use super::findings::name_text;
use super::rdata::put_rdata;
use super::store::{Row, Zone};
use std::cmp::Ordering;

/// One record that only one of two zones has; a record with another TTL is another record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// True if the new zone has it, false if the old one.
    pub added: bool,
    /// The line in its file.
    pub line: u32,
    /// The owner in presentation form.
    pub owner: String,
    /// TTL in seconds.
    pub ttl_s: u32,
    /// Type.
    pub rtype: u16,
    /// Record data in presentation form.
    pub rdata: String,
}

/// How far two zones have been compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffCursor {
    old: usize,
    new: usize,
}

impl DiffCursor {
    /// The next differences in canonical order, at most `max`; none at the end. Duplicates within a zone count once.
    pub fn take(&mut self, old: &Zone, new: &Zone, max: usize) -> Vec<Difference> {
        let mut found = Vec::new();
        while found.len() < max {
            let (a, b) = (old.rows().get(self.old), new.rows().get(self.new));
            let order = match (a, b) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => compare(old, a, new, b),
            };
            if order == Ordering::Less {
                found.extend(a.map(|row| difference(old, row, false)));
            } else if order == Ordering::Greater {
                found.extend(b.map(|row| difference(new, row, true)));
            }
            if order != Ordering::Greater {
                self.old = after(old, self.old);
            }
            if order != Ordering::Less {
                self.new = after(new, self.new);
            }
        }
        found
    }
}

fn compare(old: &Zone, a: &Row, new: &Zone, b: &Row) -> Ordering {
    old.key(a.name)
        .cmp(new.key(b.name))
        .then_with(|| a.rtype.cmp(&b.rtype))
        .then_with(|| old.rdata(a).cmp(new.rdata(b)))
        .then_with(|| a.ttl_s.cmp(&b.ttl_s))
}

/// The place after the record at `at` and its duplicates.
fn after(zone: &Zone, at: usize) -> usize {
    let rows = zone.rows().get(at..).unwrap_or_default();
    let same = rows
        .iter()
        .zip(rows.first().into_iter().cycle())
        .take_while(|(a, b)| a.name == b.name && compare(zone, a, zone, b) == Ordering::Equal)
        .count();
    at + same.max(1)
}

fn difference(zone: &Zone, row: &Row, added: bool) -> Difference {
    let mut rdata = String::new();
    put_rdata(row.rtype, zone.rdata(row), &mut rdata);
    Difference {
        added,
        line: row.line,
        owner: name_text(&zone.name(row.name)),
        ttl_s: row.ttl_s,
        rtype: row.rtype,
        rdata,
    }
}
