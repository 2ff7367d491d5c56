//! The digest of a whole zone (RFC 8976).

use super::findings::Findings;
use super::places::Place;
use super::signatures::covered;
use super::store::{Row, Zone, RRSIG, SOA, ZONEMD};
use crate::wire::u32_at;
use ring::digest::{Algorithm, Context, SHA384, SHA512};
use std::collections::BTreeMap;

const SCHEME_SIMPLE: u8 = 1;
/// Shortest digest of any algorithm (RFC 8976 section 2.2.4).
const MIN_DIGEST_OCTETS: usize = 12;

/// Verify each ZONEMD record at the apex (RFC 8976 section 4); the zone is digested once for each algorithm at most.
pub(super) fn check(zone: &Zone, places: &[Place], findings: &mut Findings) {
    let Some(apex) = zone.apex() else { return };
    let rows = zone.rrset(apex, ZONEMD);
    let serial = zone.rrset(apex, SOA).first().and_then(|row| {
        let rdata = zone.rdata(row);
        u32_at(rdata, rdata.len().checked_sub(20)?)
    });
    // Equal records are neighbours; different ones of the same scheme and algorithm contradict each other.
    let mut kinds: BTreeMap<[u8; 2], u64> = BTreeMap::new();
    for rows in rows.chunk_by(|a, b| zone.rdata(a) == zone.rdata(b)) {
        let kind = rows
            .first()
            .and_then(|row| zone.rdata(row).get(4..6)?.try_into().ok());
        if let Some(kind) = kind {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let mut digests: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for row in rows {
        let rdata = zone.rdata(row);
        let (Some(of), Some(&[scheme, number])) = (u32_at(rdata, 0), rdata.get(4..6)) else {
            findings.add("zonemd/malformed", zone, apex, row.line, String::new);
            continue;
        };
        let digest = rdata.get(6..).unwrap_or_default();
        let kind = || format!("scheme {scheme}, algorithm {number}");
        let algorithm = match (scheme, number) {
            (SCHEME_SIMPLE, 1) => Some(&SHA384),
            (SCHEME_SIMPLE, 2) => Some(&SHA512),
            _ => None,
        };
        let code = if digest.len() < MIN_DIGEST_OCTETS {
            "zonemd/malformed"
        } else if Some(of) != serial {
            "zonemd/serial"
        } else if kinds
            .get(&[scheme, number])
            .is_some_and(|distinct| *distinct > 1)
        {
            "zonemd/multiple"
        } else if let Some(algorithm) = algorithm {
            let found = digests
                .entry(number)
                .or_insert_with(|| zone_digest(zone, places, apex, algorithm));
            if found == digest {
                "zonemd/verified"
            } else {
                "zonemd/mismatch"
            }
        } else {
            "zonemd/not-checkable"
        };
        findings.add(code, zone, apex, row.line, kind);
    }
}

/// RFC 8976 section 3.3: all records in canonical order, without ZONEMD at the apex, its signatures and duplicates.
fn zone_digest(zone: &Zone, places: &[Place], apex: u32, algorithm: &'static Algorithm) -> Vec<u8> {
    let mut context = Context::new(algorithm);
    let mut owner = Vec::new();
    let mut octets = Vec::new();
    let mut before: Option<&Row> = None;
    for row in zone.rows() {
        if before.is_none_or(|before| before.name != row.name) {
            owner = zone.name(row.name);
        }
        let again = before.is_some_and(|before| {
            (before.name, before.rtype) == (row.name, row.rtype)
                && zone.rdata(before) == zone.rdata(row)
        });
        before = Some(row);
        let own = row.name == apex
            && (row.rtype == ZONEMD || (row.rtype == RRSIG && covered(zone, row) == ZONEMD));
        if again || own || places.get(row.name as usize) == Some(&Place::Outside) {
            continue;
        }
        let rdata = zone.rdata(row);
        octets.clear();
        octets.extend_from_slice(&owner);
        octets.extend_from_slice(&row.rtype.to_be_bytes());
        octets.extend_from_slice(&1u16.to_be_bytes());
        octets.extend_from_slice(&row.ttl_s.to_be_bytes());
        octets.extend_from_slice(&u16::try_from(rdata.len()).unwrap_or_default().to_be_bytes());
        octets.extend_from_slice(rdata);
        context.update(&octets);
    }
    context.finish().as_ref().to_vec()
}
