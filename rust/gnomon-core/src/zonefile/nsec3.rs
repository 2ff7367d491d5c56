//! The chains of NSEC3 records (RFC 5155 section 7.1).

use super::findings::{name_text, Findings};
use super::nsec::bitmap_of;
use super::places::{is_hash, Place};
use super::store::{first_line, parent_key, put_name_of, Row, Zone, DS, NSEC3, NSEC3PARAM};
use super::text::{put_base32, Digits};
use crate::dnssec::{nsec3_hash, MAX_NSEC3_ITERATIONS};

/// Most parameter sets whose chains are followed.
pub const MAX_CHAINS: usize = 4;

/// Most hash computations for one zone (for each parameter set): so many for each record, or the least number. A chain
/// of 50 iterations stays below; names of a hundred labels each, whose ancestors are all to be hashed, do not.
pub const MAX_HASHES_PER_RECORD: u64 = 64;
pub const MIN_HASHES: u64 = 1 << 20;

const HASH_OCTETS: usize = 20;
const OPT_OUT: u8 = 1;

type Hash = [u8; HASH_OCTETS];

/// Algorithm, iterations and salt.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameters {
    algorithm: u8,
    iterations: u16,
    salt: Vec<u8>,
}

/// One NSEC3 record; small, because there is one for each name.
struct Link<'a> {
    hash: Hash,
    row: &'a Row,
}

impl Link<'_> {
    fn opt_out(&self, zone: &Zone) -> bool {
        zone.rdata(self.row)
            .get(1)
            .is_some_and(|flags| flags & OPT_OUT != 0)
    }

    /// The next hash and the type bitmap.
    fn next_and_types<'z>(&self, zone: &'z Zone) -> (&'z [u8], &'z [u8]) {
        let rest = parameters(zone.rdata(self.row)).and_then(|(_, _, rest)| counted(rest));
        rest.unwrap_or_default()
    }
}

/// A name that a chain must deny or prove: its hash; rank, or None for an empty non-terminal; whether opt-out may
/// leave it out.
struct Owner {
    hash: Hash,
    rank: Option<u32>,
    example: u32,
    optional: bool,
}

/// Compare each chain with the names and types that are there.
pub(super) fn check(zone: &Zone, places: &[Place], threads: usize, findings: &mut Findings) {
    let Some(apex) = zone.apex() else { return };
    let mut chains: Vec<Parameters> = Vec::new();
    for row in zone.rrset(apex, NSEC3PARAM) {
        match parameters(zone.rdata(row)) {
            // Other flags mean that the chain is being made or taken away (RFC 5155 section 4.1.2).
            Some((0, found, _)) if chains.contains(&found) => {}
            Some((0, found, _)) if chains.len() < MAX_CHAINS => chains.push(found),
            Some((0, ..)) => findings.add("nsec3/not-checkable", zone, apex, row.line, || {
                format!("more than {MAX_CHAINS} parameter sets")
            }),
            Some(_) => {}
            None => findings.add("nsec3/malformed", zone, apex, row.line, || {
                "NSEC3PARAM".to_owned()
            }),
        }
    }
    let mut links: Vec<Vec<Link<'_>>> = chains.iter().map(|_| Vec::new()).collect();
    for rank in zone.ranks() {
        for row in zone.rrset(rank, NSEC3) {
            let Some((_, of, rest)) = parameters(zone.rdata(row)) else {
                findings.add("nsec3/malformed", zone, rank, row.line, String::new);
                continue;
            };
            let place = chains.iter().position(|chain| *chain == of);
            let list = place.and_then(|at| links.get_mut(at));
            let (Some(hash), Some(_)) = (owner_hash(zone, rank), counted(rest)) else {
                findings.add("nsec3/malformed", zone, rank, row.line, String::new);
                continue;
            };
            match list {
                Some(list) => list.push(Link { hash, row }),
                None => findings.add("nsec3/other-parameters", zone, rank, row.line, String::new),
            }
        }
    }
    for (chain, mut links) in chains.iter().zip(links) {
        let line = first_line(zone.rrset(apex, NSEC3PARAM));
        if chain.iterations > 0 {
            findings.add("nsec3/iterations", zone, apex, line, || {
                chain.iterations.to_string()
            });
        }
        if !chain.salt.is_empty() {
            findings.add("nsec3/salt", zone, apex, line, String::new);
        }
        match owners(zone, places, chain, threads) {
            Some(owners) => follow(zone, places, &owners, &mut links, findings),
            None => findings.add("nsec3/not-checkable", zone, apex, line, || {
                format!(
                    "algorithm {}, {} iterations",
                    chain.algorithm, chain.iterations
                )
            }),
        }
    }
}

/// Flags, parameters, and what is after the salt.
fn parameters(rdata: &[u8]) -> Option<(u8, Parameters, &[u8])> {
    let (&[algorithm, flags, high, low], rest) = rdata.split_first_chunk()?;
    let (salt, rest) = counted(rest)?;
    let found = Parameters {
        algorithm,
        iterations: u16::from_be_bytes([high, low]),
        salt: salt.to_vec(),
    };
    Some((flags, found, rest))
}

fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// The hash that is the first label of a name right below the apex.
fn owner_hash(zone: &Zone, rank: u32) -> Option<Hash> {
    let label = zone
        .key(rank)
        .strip_prefix(zone.apex_key())?
        .strip_suffix(b"\0")?;
    let (mut digits, mut out) = (Digits::new(5), Vec::with_capacity(HASH_OCTETS));
    digits.push(label, &mut out).ok()?;
    digits.end().ok()?;
    out.try_into().ok()
}

/// The hashes of all names that the chain is about, sorted; None if they cannot or may not be computed.
fn owners(zone: &Zone, places: &[Place], chain: &Parameters, threads: usize) -> Option<Vec<Owner>> {
    if chain.algorithm != 1 || chain.iterations > MAX_NSEC3_ITERATIONS {
        return None;
    }
    let (mut names, empty) = names(zone, places);
    let all = (names.len() + empty.len()) as u64;
    let most = (zone.records() as u64 * MAX_HASHES_PER_RECORD).max(MIN_HASHES);
    if all * (u64::from(chain.iterations) + 1) > most {
        return None;
    }
    let hash = |name: &[u8]| -> Option<Hash> {
        nsec3_hash(name, chain.algorithm, chain.iterations, &chain.salt)?
            .try_into()
            .ok()
    };
    let part = names.len().div_ceil(threads.max(1)).max(1);
    let done = std::thread::scope(|scope| {
        let workers: Vec<_> = names
            .chunks_mut(part)
            .map(|part| {
                scope.spawn(move || {
                    part.iter_mut().try_for_each(|owner| {
                        owner.hash = hash(&zone.name(owner.example))?;
                        Some(())
                    })
                })
            })
            .collect();
        // All are joined, whatever the first of them says.
        let results: Vec<_> = workers
            .into_iter()
            .map(|worker| worker.join().ok().flatten())
            .collect();
        results.into_iter().collect::<Option<Vec<()>>>()
    });
    done?;
    let mut name = Vec::new();
    for Empty {
        key_octets,
        example,
        optional,
    } in empty
    {
        name.clear();
        let key = zone.key(example).get(..key_octets).unwrap_or_default();
        put_name_of(key, &mut name);
        names.push(Owner {
            hash: hash(&name)?,
            rank: None,
            example,
            optional,
        });
    }
    names.sort_unstable_by_key(|owner| owner.hash);
    Some(names)
}

/// An empty non-terminal: the first octets of the key of a name below it; whether all names below it are insecure
/// delegations. There can be a hundred for each name, so they are small.
struct Empty {
    key_octets: usize,
    example: u32,
    optional: bool,
}

/// The names of the chain without their hashes, and the empty non-terminals.
fn names(zone: &Zone, places: &[Place]) -> (Vec<Owner>, Vec<Empty>) {
    let mut names = Vec::new();
    let mut empty: Vec<Empty> = Vec::new();
    // The empty non-terminals above the name before, outermost first: the octets of their keys, places in `empty`.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut before: &[u8] = &[];
    let apex = zone.apex_key();
    for (rank, place) in zone.ranks().zip(places) {
        if !place.is_in_chain() || is_hash(zone, rank) {
            continue;
        }
        let optional = *place == Place::Delegation && zone.rrset(rank, DS).is_empty();
        let key = zone.key(rank);
        let shared = key.iter().zip(before).take_while(|(a, b)| a == b).count();
        while open.last().is_some_and(|(octets, _)| *octets > shared) {
            open.pop();
        }
        before = key;
        let known = open.last().map_or(0, |(octets, _)| *octets);
        let mut above = Vec::new();
        let mut next = parent_key(key);
        while let Some(parent) = next.filter(|parent| parent.len() > apex.len().max(known)) {
            if zone.find(parent).is_ok() {
                break;
            }
            above.push(parent.len());
            next = parent_key(parent);
        }
        for key_octets in above.into_iter().rev() {
            open.push((key_octets, empty.len()));
            empty.push(Empty {
                key_octets,
                example: rank,
                optional: true,
            });
        }
        if !optional {
            for (_, at) in &open {
                if let Some(entry) = empty.get_mut(*at) {
                    entry.optional = false;
                }
            }
        }
        names.push(Owner {
            hash: [0; HASH_OCTETS],
            rank: Some(rank),
            example: rank,
            optional,
        });
    }
    (names, empty)
}

fn follow(
    zone: &Zone,
    places: &[Place],
    owners: &[Owner],
    links: &mut [Link<'_>],
    findings: &mut Findings,
) {
    let mut complete = true;
    let mut bad = |code, rank, line, detail: &dyn Fn() -> String, findings: &mut Findings| {
        complete = false;
        findings.add(code, zone, rank, line, detail);
    };
    // Names that sort as their hashes do make this a no-op for a sound zone.
    links.sort_by_key(|link| link.hash);
    for (link, next) in links.iter().zip(links.iter().skip(1).chain(links.first())) {
        let (found, _) = link.next_and_types(zone);
        if found != next.hash {
            let detail = || format!("{}, not {}", hash_text(found), hash_text(&next.hash));
            let code = if link.hash == next.hash && links.len() > 1 {
                "nsec3/multiple"
            } else {
                "nsec3/next"
            };
            bad(code, link.row.name, link.row.line, &detail, findings);
        }
    }
    let mut opt_out_spans = 0;
    let mut at = 0;
    for owner in owners {
        while let Some(link) = links.get(at).filter(|link| link.hash < owner.hash) {
            at += 1;
            opt_out_spans += u64::from(link.opt_out(zone));
            if owners
                .binary_search_by(|owner| owner.hash.cmp(&link.hash))
                .is_err()
            {
                bad(
                    "nsec3/extra",
                    link.row.name,
                    link.row.line,
                    &String::new,
                    findings,
                );
            }
        }
        let exact = links.get(at).filter(|link| link.hash == owner.hash);
        let Some(link) = exact else {
            // The span that would hold it: the link before, or the last one.
            let span = if at > 0 {
                links.get(at - 1)
            } else {
                links.last()
            };
            if !(owner.optional && span.is_some_and(|span| span.opt_out(zone))) {
                let line = first_line(zone.rows_of(owner.example));
                let detail = || match owner.rank {
                    Some(_) => String::new(),
                    None => "an empty non-terminal above it".to_owned(),
                };
                bad("nsec3/missing", owner.example, line, &detail, findings);
            }
            continue;
        };
        let place = places
            .get(owner.example as usize)
            .copied()
            .unwrap_or(Place::Outside);
        let types = owner
            .rank
            .map_or_else(Vec::new, |rank| bitmap_of(zone, rank, place));
        if link.next_and_types(zone).1 != types {
            let detail = || format!("for {}", name_text(&zone.name(owner.example)));
            bad(
                "nsec3/types",
                link.row.name,
                link.row.line,
                &detail,
                findings,
            );
        }
    }
    while let Some(link) = links.get(at) {
        at += 1;
        opt_out_spans += u64::from(link.opt_out(zone));
        if owners
            .binary_search_by(|owner| owner.hash.cmp(&link.hash))
            .is_err()
        {
            bad(
                "nsec3/extra",
                link.row.name,
                link.row.line,
                &String::new,
                findings,
            );
        }
    }
    if opt_out_spans > 0 {
        findings.count("nsec3/opt-out", opt_out_spans);
    }
    if complete {
        findings.count("nsec3/complete", links.len() as u64);
    }
}

fn hash_text(hash: &[u8]) -> String {
    let mut out = String::new();
    put_base32(hash, &mut out);
    out
}
