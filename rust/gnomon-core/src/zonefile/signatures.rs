//! All signatures of a zone at one time (RFC 4035 sections 2.2 and 5.3), on several threads.

use super::findings::Findings;
use super::places::{is_authoritative, Place};
use super::store::{first_line, key_of, Row, Zone, DNSKEY, RRSIG};
use super::types::type_name;
use crate::dnssec::{key_tag, verify_rrsig, Arithmetic, Outcome, Rrset, Rrsig};
use crate::wire::{label_count, u32_at};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

/// Most signatures of one RRset that are verified; the rest is not checkable.
pub const MAX_SIGNATURES: usize = 8;

/// Most keys of the same tag and algorithm that are tried for one signature.
pub const MAX_KEYS_OF_TAG: usize = 4;

/// Most DNSKEY records that are used.
pub const MAX_KEYS: usize = 64;

const CLASS_IN: u16 = 1;
const ZONE_KEY: u8 = 1;
const REVOKED: u8 = 0x80;

/// One key at the apex.
struct Key<'a> {
    tag: u16,
    algorithm: u8,
    revoked: bool,
    rdata: &'a [u8],
}

/// Numbers about the signatures of a zone.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Authoritative RRsets with a valid signature of each algorithm of the zone.
    pub rrsets_valid: u64,
    /// Valid signatures by algorithm.
    pub valid: BTreeMap<u8, u64>,
    /// The earliest expiration of a valid signature, in Unix seconds.
    pub first_expiration: Option<i64>,
    /// The latest inception of a valid signature, in Unix seconds.
    pub last_inception: Option<i64>,
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        self.rrsets_valid += other.rrsets_valid;
        for (algorithm, count) in &other.valid {
            *self.valid.entry(*algorithm).or_default() += count;
        }
        self.first_expiration = self
            .first_expiration
            .into_iter()
            .chain(other.first_expiration)
            .min();
        self.last_inception = self
            .last_inception
            .into_iter()
            .chain(other.last_inception)
            .max();
    }
}

/// The keys of the zone that may sign it, and the algorithms they stand for.
pub(super) struct Keys<'a> {
    keys: Vec<Key<'a>>,
    algorithms: Vec<u8>,
}

impl<'a> Keys<'a> {
    /// The usable keys of the apex; keys that cannot be zone keys are noted.
    pub(super) fn of(zone: &'a Zone, findings: &mut Findings) -> Self {
        let mut keys = Vec::new();
        if let Some(apex) = zone.apex() {
            for row in zone.rrset(apex, DNSKEY) {
                let rdata = zone.rdata(row);
                let tag = key_tag(rdata);
                match *rdata {
                    [high, low, 3, algorithm, _, ..] if high & ZONE_KEY != 0 => {
                        if keys.len() == MAX_KEYS {
                            findings.add("keys/budget", zone, apex, row.line, || tag.to_string());
                            break;
                        }
                        keys.push(Key {
                            tag,
                            algorithm,
                            revoked: low & REVOKED != 0,
                            rdata,
                        });
                    }
                    _ => findings.add("keys/unusable", zone, apex, row.line, || tag.to_string()),
                }
            }
        }
        keys.dedup_by(|a, b| a.rdata == b.rdata);
        let mut algorithms: Vec<u8> = keys
            .iter()
            .filter(|key| !key.revoked)
            .map(|key| key.algorithm)
            .collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        Self { keys, algorithms }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Algorithms of the keys that are not revoked, in order.
    pub(super) fn algorithms(&self) -> &[u8] {
        &self.algorithms
    }
}

/// Names that one thread takes at a time.
const BATCH: u32 = 256;

/// Verify everything at `at` (Unix seconds).
pub(super) fn check(
    zone: &Zone,
    places: &[Place],
    keys: &Keys<'_>,
    at: i64,
    threads: usize,
    findings: &mut Findings,
) -> Tally {
    let next = AtomicU32::new(0);
    let end = zone.ranks().end;
    let work = || {
        let mut job = Job {
            zone,
            keys,
            at,
            findings: Findings::default(),
            tally: Tally::default(),
            apex: zone.apex_name().unwrap_or_default(),
        };
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            if from >= end {
                return (job.findings, job.tally);
            }
            for rank in from..end.min(from.saturating_add(BATCH)) {
                if let Some(place) = places.get(rank as usize) {
                    job.name(rank, *place);
                }
            }
        }
    };
    let mut tally = Tally::default();
    let results = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut results = vec![Ok(work())];
        results.extend(workers.into_iter().map(std::thread::ScopedJoinHandle::join));
        results
    });
    for result in results {
        match result {
            Ok((found, part)) => {
                findings.merge(found);
                tally.merge(&part);
            }
            // Never seen; it must not pass for a good zone.
            Err(_) => findings.count("signatures/internal", 1),
        }
    }
    tally
}

struct Job<'a> {
    zone: &'a Zone,
    keys: &'a Keys<'a>,
    at: i64,
    findings: Findings,
    tally: Tally,
    apex: Vec<u8>,
}

/// What became of one signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Valid,
    Bad(&'static str),
}

impl Job<'_> {
    fn name(&mut self, rank: u32, place: Place) {
        let zone = self.zone;
        let signatures = zone.rrset(rank, RRSIG);
        if place == Place::Outside {
            return;
        }
        let mut owner = Vec::new();
        for rows in zone.rrsets(rank) {
            let Some(rtype) = rows
                .first()
                .map(|row| row.rtype)
                .filter(|rtype| *rtype != RRSIG)
            else {
                continue;
            };
            let mine = covering(zone, signatures, rtype);
            if is_authoritative(place, rtype) {
                if owner.is_empty() {
                    owner = zone.name(rank);
                }
                self.rrset(rank, &owner, rows, mine);
            } else if !mine.is_empty() {
                let line = first_line(mine);
                self.findings
                    .add("signatures/not-authoritative", zone, rank, line, || {
                        type_name(rtype)
                    });
            }
        }
        for of_type in signatures.chunk_by(|a, b| covered(zone, a) == covered(zone, b)) {
            let Some(rtype) = of_type.first().map(|row| covered(zone, row)) else {
                continue;
            };
            if zone.rrset(rank, rtype).is_empty() {
                let line = first_line(of_type);
                self.findings
                    .add("signatures/no-rrset", zone, rank, line, || type_name(rtype));
            }
        }
    }

    fn rrset(&mut self, rank: u32, owner: &[u8], rows: &[Row], signatures: &[Row]) {
        let zone = self.zone;
        let Some(first) = rows.first() else { return };
        let rtype = first.rtype;
        let line = first_line(rows);
        if signatures.is_empty() {
            self.findings
                .add("signatures/unsigned", zone, rank, line, || type_name(rtype));
            return;
        }
        let rdatas: Vec<&[u8]> = rows.iter().map(|row| zone.rdata(row)).collect();
        let rrset = Rrset {
            owner,
            rtype,
            rclass: CLASS_IN,
            rdatas: &rdatas,
        };
        let mut valid: Vec<u8> = Vec::new();
        let mut bad: Vec<(u8, u32, u16, &'static str)> = Vec::new();
        for (number, row) in signatures.iter().enumerate() {
            let rdata = zone.rdata(row);
            let Some(rrsig) = Rrsig::parse(rdata) else {
                bad.push((0, row.line, 0, "signatures/malformed"));
                continue;
            };
            if row.ttl_s != first.ttl_s {
                self.findings
                    .add("signatures/ttl-differs", zone, rank, row.line, || {
                        type_name(rtype)
                    });
            } else if rrsig.original_ttl != first.ttl_s {
                self.findings
                    .add("signatures/original-ttl", zone, rank, row.line, || {
                        type_name(rtype)
                    });
            }
            let fate = if number < MAX_SIGNATURES {
                self.fate(&rrset, &rrsig, rdata)
            } else {
                Fate::Bad("signatures/budget")
            };
            match fate {
                Fate::Valid => valid.push(rrsig.algorithm),
                Fate::Bad(code) => bad.push((rrsig.algorithm, row.line, rrsig.key_tag, code)),
            }
        }
        for algorithm in &valid {
            *self.tally.valid.entry(*algorithm).or_default() += 1;
        }
        let missing: Vec<u8> = self
            .keys
            .algorithms()
            .iter()
            .copied()
            .filter(|algorithm| !valid.contains(algorithm))
            .collect();
        if missing.is_empty() {
            self.tally.rrsets_valid += 1;
        }
        for (algorithm, line, tag, code) in &bad {
            // Beside a valid one of its algorithm, a bad signature does no harm.
            let code = if missing.contains(algorithm) || valid.is_empty() {
                code
            } else {
                "signatures/superfluous"
            };
            self.findings.add(code, zone, rank, *line, || {
                format!("{} by key {tag}", type_name(rtype))
            });
        }
        for algorithm in missing {
            if !bad.iter().any(|(of, ..)| *of == algorithm) {
                self.findings
                    .add("signatures/algorithm-missing", zone, rank, line, || {
                        format!("{}, algorithm {algorithm}", type_name(rtype))
                    });
            }
        }
    }

    fn fate(&mut self, rrset: &Rrset<'_>, rrsig: &Rrsig<'_>, rdata: &[u8]) -> Fate {
        if !rrsig.signer.eq_ignore_ascii_case(&self.apex) {
            return Fate::Bad("signatures/other-signer");
        }
        let wildcard = usize::from(rrset.owner.starts_with(b"\x01*"));
        if label_count(rrset.owner) != Some(usize::from(rrsig.labels) + wildcard) {
            return Fate::Bad("signatures/labels");
        }
        let times = (u32_at(rdata, 8), u32_at(rdata, 12));
        let (Some(expiration), Some(inception)) =
            (times.0.map(|t| self.near(t)), times.1.map(|t| self.near(t)))
        else {
            return Fate::Bad("signatures/malformed");
        };
        if self.at > expiration {
            return Fate::Bad("signatures/expired");
        }
        if self.at < inception {
            return Fate::Bad("signatures/not-yet-valid");
        }
        let candidates = self.keys.keys.iter().filter(|key| {
            key.tag == rrsig.key_tag
                && key.algorithm == rrsig.algorithm
                && (!key.revoked || rrset.rtype == DNSKEY)
        });
        let mut fate = Fate::Bad("signatures/no-key");
        for (number, key) in candidates.enumerate() {
            if number == MAX_KEYS_OF_TAG {
                fate = Fate::Bad("signatures/budget");
                break;
            }
            match verify_rrsig(&Arithmetic, rrset, rdata, key.rdata) {
                Outcome::Valid => {
                    let tally = &mut self.tally;
                    tally.first_expiration =
                        tally.first_expiration.into_iter().chain([expiration]).min();
                    tally.last_inception =
                        tally.last_inception.into_iter().chain([inception]).max();
                    return Fate::Valid;
                }
                Outcome::Invalid => fate = Fate::Bad("signatures/invalid"),
                Outcome::NotCheckable(_) if fate != Fate::Bad("signatures/invalid") => {
                    fate = Fate::Bad("signatures/not-checkable");
                }
                Outcome::NotCheckable(_) => {}
            }
        }
        fate
    }

    /// The point in time nearest to now that has these low 32 bits (RFC 4034 section 3.1.5).
    fn near(&self, seconds: u32) -> i64 {
        const SPAN: i64 = 1 << 32;
        let ahead = (i64::from(seconds) - self.at).rem_euclid(SPAN);
        self.at
            + if ahead < SPAN / 2 {
                ahead
            } else {
                ahead - SPAN
            }
    }
}

/// The type that a signature covers.
pub(super) fn covered(zone: &Zone, row: &Row) -> u16 {
    zone.rdata(row)
        .first_chunk()
        .map_or(0, |octets| u16::from_be_bytes(*octets))
}

/// Those of the (sorted) signatures that cover a type.
fn covering<'a>(zone: &Zone, signatures: &'a [Row], rtype: u16) -> &'a [Row] {
    let from = signatures.partition_point(|row| covered(zone, row) < rtype);
    let to = signatures.partition_point(|row| covered(zone, row) <= rtype);
    signatures.get(from..to).unwrap_or_default()
}

/// The key of a name in record data, and the octets after the name.
pub(super) fn key_and_rest(rdata: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (name, rest) = rdata.split_at_checked(crate::wire::name_length(rdata)?)?;
    Some((key_of(name), rest))
}
