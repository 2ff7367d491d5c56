//! What must hold in any zone, signed or not: apex, RRsets, delegations and their glue, DS.

use super::findings::{name_text, Findings};
use super::places::Place;
use super::store::{
    first_line, key_of, parent_key, Row, Zone, A, AAAA, CNAME, DNAME, DS, NS, NSEC, RRSIG, SOA,
};
use super::types::type_name;
use std::collections::BTreeMap;

/// DS records by algorithm and digest type: how many, and the first one's line and owner.
pub type DsKinds = BTreeMap<(u8, u8), (u64, u32, String)>;

/// How many delegations, and how many of them with DS.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delegations {
    pub(super) all: u64,
    pub(super) signed: u64,
}

/// Judge all but DNSSEC.
pub(super) fn check(
    zone: &Zone,
    places: &[Place],
    ds_kinds: &mut DsKinds,
    findings: &mut Findings,
) -> Delegations {
    apex(zone, findings);
    let mut delegations = Delegations::default();
    let mut targets = Targets {
        zone,
        places,
        used: vec![false; places.len()],
    };
    for (rank, &place) in zone.ranks().zip(places) {
        if place == Place::Outside {
            for row in zone.rows_of(rank) {
                findings.add("records/out-of-zone", zone, rank, row.line, || {
                    type_name(row.rtype)
                });
            }
            continue;
        }
        rrsets(zone, rank, place, findings);
        if place == Place::Delegation {
            delegations.all += 1;
            delegations.signed += u64::from(!zone.rrset(rank, DS).is_empty());
        }
        ds(zone, rank, place, ds_kinds, findings);
        if place == Place::Delegation || Some(rank) == zone.apex() {
            targets.check(rank, findings);
        }
    }
    glue(zone, places, &targets.used, findings);
    delegations
}

fn apex(zone: &Zone, findings: &mut Findings) {
    let Some(apex) = zone.apex() else {
        findings.count("apex/soa-missing", 1);
        return;
    };
    let soa = zone.rrset(apex, SOA);
    match soa {
        [] => findings.add("apex/soa-missing", zone, apex, 0, String::new),
        [one, rest @ ..] if rest.iter().any(|row| zone.rdata(row) != zone.rdata(one)) => {
            findings.add("apex/soa-multiple", zone, apex, first_line(rest), || {
                soa.len().to_string()
            });
        }
        _ => {}
    }
    if zone.rrset(apex, NS).is_empty() {
        findings.add("apex/ns-missing", zone, apex, 0, String::new);
    }
}

fn rrsets(zone: &Zone, rank: u32, place: Place, findings: &mut Findings) {
    let beside = |row: &&Row| !matches!(row.rtype, CNAME | RRSIG | NSEC);
    let below = matches!(place, Place::BelowCut | Place::BelowDname);
    for rows in zone.rrsets(rank) {
        let Some(first) = rows.first() else { continue };
        let rtype = first.rtype;
        let mut distinct = 1;
        for pair in rows.windows(2) {
            if let [a, b] = pair {
                if zone.rdata(a) == zone.rdata(b) {
                    findings.add("records/duplicate", zone, rank, b.line, || type_name(rtype));
                } else {
                    distinct += 1;
                }
            }
        }
        if rtype != RRSIG && rows.iter().any(|row| row.ttl_s != first.ttl_s) {
            findings.add("records/ttl-differs", zone, rank, first_line(rows), || {
                type_name(rtype)
            });
        }
        if rtype == SOA && Some(rank) != zone.apex() {
            findings.add(
                "apex/soa-elsewhere",
                zone,
                rank,
                first_line(rows),
                String::new,
            );
        }
        if rtype == CNAME {
            if let Some(other) = zone.rows_of(rank).iter().find(beside) {
                findings.add(
                    "records/cname-and-other",
                    zone,
                    rank,
                    first_line(rows),
                    || type_name(other.rtype),
                );
            }
        }
        if distinct > 1 && matches!(rtype, CNAME | DNAME) {
            let code = if rtype == CNAME {
                "records/cname-multiple"
            } else {
                "records/dname-multiple"
            };
            findings.add(code, zone, rank, first_line(rows), String::new);
        }
        let hidden = match place {
            Place::BelowCut => !matches!(rtype, A | AAAA | RRSIG | NSEC),
            Place::BelowDname => !matches!(rtype, RRSIG | NSEC),
            Place::Delegation => !matches!(rtype, NS | DS | A | AAAA | RRSIG | NSEC),
            _ => false,
        };
        if hidden && (below || rtype != CNAME) {
            findings.add("records/occluded", zone, rank, first_line(rows), || {
                type_name(rtype)
            });
        }
    }
}

/// Octets of a digest (RFC 4034 appendix B.1, RFC 4509, RFC 5933, RFC 6605); None for an unknown type.
const fn digest_octets(digest_type: u8) -> Option<usize> {
    match digest_type {
        1 => Some(20),
        2 | 3 | 5 | 6 => Some(32),
        4 => Some(48),
        _ => None,
    }
}

fn ds(zone: &Zone, rank: u32, place: Place, kinds: &mut DsKinds, findings: &mut Findings) {
    let rows = zone.rrset(rank, DS);
    if rows.is_empty() {
        return;
    }
    if Some(rank) == zone.apex() {
        findings.add("ds/at-apex", zone, rank, first_line(rows), String::new);
    } else if place == Place::Authoritative {
        findings.add("ds/without-ns", zone, rank, first_line(rows), String::new);
    }
    for row in rows {
        let &[_, _, algorithm, digest_type, ref digest @ ..] = zone.rdata(row) else {
            findings.add("ds/malformed", zone, rank, row.line, String::new);
            continue;
        };
        let kind = kinds
            .entry((algorithm, digest_type))
            .or_insert((0, u32::MAX, String::new()));
        kind.0 += 1;
        if row.line < kind.1 {
            kind.1 = row.line;
            kind.2 = name_text(&zone.name(rank));
        }
        if digest_octets(digest_type).is_some_and(|octets| octets != digest.len())
            || digest.is_empty()
        {
            findings.add("ds/digest-length", zone, rank, row.line, || {
                format!("type {digest_type}, {} octets", digest.len())
            });
        }
    }
}

/// The name servers that the zone's NS records name.
struct Targets<'a> {
    zone: &'a Zone,
    places: &'a [Place],
    used: Vec<bool>,
}

impl Targets<'_> {
    /// Look for the addresses of the name servers of the apex or of a delegation.
    fn check(&mut self, rank: u32, findings: &mut Findings) {
        let zone = self.zone;
        for row in zone.rrset(rank, NS) {
            let target = zone.rdata(row);
            let key = key_of(target);
            if !key.starts_with(zone.apex_key()) {
                continue;
            }
            let detail = || name_text(target);
            let found = zone.find(&key).ok();
            if let Some(found) = found {
                if let Some(used) = self.used.get_mut(found as usize) {
                    *used = true;
                }
                if has_address(zone, found) {
                    continue;
                }
                if !zone.rrset(found, CNAME).is_empty() {
                    findings.add("delegations/ns-alias", zone, rank, row.line, detail);
                    continue;
                }
            }
            let code = match self.cut_above(&key) {
                Some(cut) if cut == rank => "delegations/glue-missing",
                Some(_) if Some(rank) == zone.apex() => "delegations/glue-missing",
                Some(_) => "delegations/sibling-glue-missing",
                None if found.is_none() && self.wildcard_address(&key) => continue,
                None => "delegations/ns-no-address",
            };
            findings.add(code, zone, rank, row.line, detail);
        }
    }

    /// The delegation at or above a name.
    fn cut_above(&self, key: &[u8]) -> Option<u32> {
        let mut next = Some(key);
        let mut cut = None;
        while let Some(at) = next.filter(|at| at.len() > self.zone.apex_key().len()) {
            if let Ok(rank) = self.zone.find(at) {
                if self.places.get(rank as usize) == Some(&Place::Delegation) {
                    cut = Some(rank);
                }
            }
            next = parent_key(at);
        }
        cut
    }

    /// Whether a name that is not there gets an address from a wildcard (RFC 4592 section 3.3.1).
    fn wildcard_address(&self, key: &[u8]) -> bool {
        let zone = self.zone;
        let mut next = parent_key(key);
        while let Some(at) = next.filter(|at| at.starts_with(zone.apex_key())) {
            if let Ok(rank) = zone.find(&[at, b"*\0"].concat()) {
                return has_address(zone, rank);
            }
            // The closest encloser: an ancestor with records, or with any name below it.
            let exists = match zone.find(at) {
                Ok(_) => true,
                Err(after) => zone.key(after).starts_with(at),
            };
            if exists {
                return false;
            }
            next = parent_key(at);
        }
        false
    }
}

fn has_address(zone: &Zone, rank: u32) -> bool {
    [A, AAAA]
        .iter()
        .any(|rtype| !zone.rrset(rank, *rtype).is_empty())
}

/// Addresses at or below delegations that no NS record of the zone needs.
fn glue(zone: &Zone, places: &[Place], used: &[bool], findings: &mut Findings) {
    for ((rank, place), used) in zone.ranks().zip(places).zip(used) {
        if *used || !matches!(place, Place::BelowCut | Place::Delegation) {
            continue;
        }
        for row in zone
            .rows_of(rank)
            .iter()
            .filter(|row| matches!(row.rtype, A | AAAA))
        {
            findings.add("delegations/glue-orphan", zone, rank, row.line, || {
                type_name(row.rtype)
            });
        }
    }
}
