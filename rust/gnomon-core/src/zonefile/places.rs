//! Where each name of a zone stands: authoritative, a delegation, below one, below a DNAME, or outside.

use super::signatures::covered;
use super::store::{Zone, DNAME, NS, NSEC3, RRSIG};

/// The place of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not at or below the apex.
    Outside,
    /// The zone answers for it.
    Authoritative,
    /// It has NS records and is not the apex.
    Delegation,
    /// Below a delegation.
    BelowCut,
    /// Below a DNAME (RFC 6672 section 2.4).
    BelowDname,
}

impl Place {
    /// Whether the name belongs to the chain of NSEC or NSEC3 records.
    pub(super) const fn is_in_chain(self) -> bool {
        matches!(self, Self::Authoritative | Self::Delegation)
    }
}

/// The place of each name, by rank.
pub(super) fn places(zone: &Zone) -> Vec<Place> {
    let apex = zone.apex_key();
    let mut above: Option<(&[u8], Place)> = None;
    let place_of = |rank: u32| {
        let key = zone.key(rank);
        if !key.starts_with(apex) {
            return Place::Outside;
        }
        if let Some((top, place)) = above {
            if key.starts_with(top) {
                return place;
            }
        }
        let is_apex = key.len() == apex.len();
        if !is_apex && !zone.rrset(rank, NS).is_empty() {
            above = Some((key, Place::BelowCut));
            return Place::Delegation;
        }
        if !zone.rrset(rank, DNAME).is_empty() {
            above = Some((key, Place::BelowDname));
        }
        Place::Authoritative
    };
    zone.ranks().map(place_of).collect()
}

/// Whether a type at a name of that place is authoritative data (RFC 4035 section 2.2).
pub(super) const fn is_authoritative(place: Place, rtype: u16) -> bool {
    match place {
        Place::Authoritative => true,
        Place::Delegation => matches!(rtype, super::store::DS | super::store::NSEC),
        _ => false,
    }
}

/// Whether a name is there for the sake of NSEC3 only: it has no other record than these and their signatures.
pub(super) fn is_hash(zone: &Zone, rank: u32) -> bool {
    let rows = zone.rows_of(rank);
    rows.iter()
        .all(|row| row.rtype == NSEC3 || (row.rtype == RRSIG && covered(zone, row) == NSEC3))
}
