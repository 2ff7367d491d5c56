//! One pass over everything that can be judged in a zone file.

use super::findings::Findings;
use super::places::{is_hash, places, Place};
use super::signatures::{Keys, Tally};
use super::store::{Zone, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, ZONEMD};
use super::structure::DsKinds;
use super::{nsec, nsec3, signatures, structure, zonemd};
use crate::wire::u32_at;

/// What an audit says.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Codes with counts and first places.
    pub findings: Findings,
    /// Records of the file, those out of zone included.
    pub records: u64,
    /// Owner names at or below the apex, those of NSEC3 records not counted.
    pub names: u64,
    /// Delegations.
    pub delegations: u64,
    /// Delegations with DS records.
    pub signed_delegations: u64,
    /// The serial of the SOA record.
    pub serial: Option<u32>,
    /// Algorithms of the zone's keys that are not revoked.
    pub algorithms: Vec<u8>,
    /// DS records by algorithm and digest type.
    pub ds_kinds: DsKinds,
    /// Numbers about the signatures.
    pub signatures: Tally,
}

/// Judge a zone at `at` (Unix seconds) on so many threads.
///
/// Time and memory are linear in the size of the zone (its sorting apart): the signatures of one RRset, keys of one
/// tag, NSEC3 chains and hash iterations are all limited, and what exceeds a limit is found as not checkable.
#[must_use]
pub fn audit(zone: &Zone, at: i64, threads: usize) -> Audit {
    let mut findings = Findings::default();
    let places = places(zone);
    let mut ds_kinds = DsKinds::new();
    let delegations = structure::check(zone, &places, &mut ds_kinds, &mut findings);
    let keys = Keys::of(zone, &mut findings);
    let mut tally = Tally::default();
    if let Some(apex) = zone.apex() {
        let has = |rtype| !zone.rrset(apex, rtype).is_empty();
        if keys.is_empty() {
            let signed = zone.rows().iter().find(|row| row.rtype == RRSIG);
            match signed {
                Some(row) => findings.add("keys/missing", zone, row.name, row.line, String::new),
                None => findings.count("keys/unsigned", 1),
            }
        } else {
            tally = signatures::check(zone, &places, &keys, at, threads, &mut findings);
            if has(NSEC) {
                nsec::check(zone, &places, &mut findings);
            }
            if has(NSEC3PARAM) {
                nsec3::check(zone, &places, threads, &mut findings);
            }
            if !has(NSEC) && !has(NSEC3PARAM) {
                let stray = zone
                    .rows()
                    .iter()
                    .find(|row| matches!(row.rtype, NSEC | NSEC3));
                let line = stray.map_or(0, |row| row.line);
                findings.add("denial/no-chain", zone, apex, line, String::new);
            }
        }
        if has(ZONEMD) {
            zonemd::check(zone, &places, &mut findings);
        } else {
            findings.count("zonemd/none", 1);
        }
    }
    let serial = zone.apex().and_then(|apex| {
        let rdata = zone.rdata(zone.rrset(apex, SOA).first()?);
        u32_at(rdata, rdata.len().checked_sub(20)?)
    });
    let names = zone
        .ranks()
        .zip(&places)
        .filter(|(rank, place)| **place != Place::Outside && !is_hash(zone, *rank))
        .count();
    Audit {
        findings,
        records: zone.records() as u64,
        names: names as u64,
        delegations: delegations.all,
        signed_delegations: delegations.signed,
        serial,
        algorithms: keys.algorithms().to_vec(),
        ds_kinds,
        signatures: tally,
    }
}
