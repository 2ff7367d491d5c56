//! The chain of NSEC records (RFC 4034 section 4, RFC 4035 section 2.3).

use super::findings::{name_text, Findings};
use super::places::{is_authoritative, is_hash, Place};
use super::signatures::key_and_rest;
use super::store::{first_line, put_name_of, Zone, NS, NSEC, RRSIG};
use super::text::put_bitmap;

/// Compare each NSEC with the names and types that are there.
pub(super) fn check(zone: &Zone, places: &[Place], findings: &mut Findings) {
    let chain: Vec<u32> = zone
        .ranks()
        .zip(places)
        .filter(|(rank, place)| place.is_in_chain() && !is_hash(zone, *rank))
        .map(|(rank, _)| rank)
        .collect();
    let mut complete = true;
    let followers = chain.iter().skip(1).chain(chain.first());
    for (&rank, &next) in chain.iter().zip(followers) {
        let rows = zone.rrset(rank, NSEC);
        let Some(row) = rows.first() else {
            complete = false;
            findings.add(
                "nsec/missing",
                zone,
                rank,
                first_line(zone.rows_of(rank)),
                String::new,
            );
            continue;
        };
        if rows
            .iter()
            .any(|other| zone.rdata(other) != zone.rdata(row))
        {
            complete = false;
            findings.add("nsec/multiple", zone, rank, first_line(rows), || {
                rows.len().to_string()
            });
        }
        let Some((key, types)) = key_and_rest(zone.rdata(row)) else {
            complete = false;
            findings.add("nsec/malformed", zone, rank, row.line, String::new);
            continue;
        };
        if key != zone.key(next) {
            complete = false;
            findings.add("nsec/next", zone, rank, row.line, || {
                let mut found = Vec::new();
                put_name_of(&key, &mut found);
                format!("{}, not {}", name_text(&found), name_text(&zone.name(next)))
            });
        }
        let place = places.get(rank as usize).copied().unwrap_or(Place::Outside);
        if types != bitmap_of(zone, rank, place) {
            complete = false;
            findings.add("nsec/types", zone, rank, row.line, String::new);
        }
    }
    for (rank, place) in zone.ranks().zip(places) {
        let rows = zone.rrset(rank, NSEC);
        if matches!(place, Place::BelowCut | Place::BelowDname) && !rows.is_empty() {
            complete = false;
            findings.add("nsec/extra", zone, rank, first_line(rows), String::new);
        }
    }
    if complete {
        findings.count("nsec/complete", chain.len() as u64);
    }
}

/// The type bitmap that belongs to a name of the chain: what is authoritative there, and the NS of a delegation.
pub(super) fn bitmap_of(zone: &Zone, rank: u32, place: Place) -> Vec<u8> {
    let mut types: Vec<u16> = zone
        .rrsets(rank)
        .filter_map(|rows| rows.first())
        .map(|row| row.rtype)
        .filter(|rtype| is_authoritative(place, *rtype) || matches!(*rtype, NS | RRSIG))
        .collect();
    let mut out = Vec::new();
    put_bitmap(&mut types, &mut out);
    out
}
