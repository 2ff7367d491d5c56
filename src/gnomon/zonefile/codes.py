"""The checks on zone files: their properties, and the sentence of each code (`count` and `zone` are filled in)."""

from __future__ import annotations

from collections.abc import Mapping

from gnomon.base import Property

SEC, STA, REL, IOP = Property.SEC, Property.STA, Property.REL, Property.IOP

CHECKS: Mapping[str, tuple[tuple[Property, ...], Mapping[str, str]]] = {
    # RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5
    "syntax": ((IOP,), {
        "clean": "All {count} records could be read.",
        "syntax": "{count} line(s) are no records.",
        "unbalanced": "{count} quote(s) or parentheses have no partner.",
        "ttl": "{count} TTL(s) cannot be read, or are above 2147483647 seconds.",
        "unsupported-presentation": "{count} record(s) are of a type that is read in the form of RFC 3597 only.",
        "include-refused": "$INCLUDE is refused {count} time(s): it is not asked for, or leads out of the folder.",
        "generate-refused": "{count} $GENERATE make no records, or more than 65,536.",
        "class": "{count} record(s) are of another class than IN.",
        "limit": "Reading stopped at a limit; the rest of the file was not looked at.",
    }),
    # RFC 1035 section 5.2
    "apex": ((STA,), {
        "complete": "{zone} has one SOA record and NS records at its apex.",
        "soa-missing": "There is no SOA record at the apex.",
        "soa-multiple": "There are several different SOA records at the apex.",
        "soa-elsewhere": "{count} SOA record set(s) are at other names than the apex.",
        "ns-missing": "There is no NS record at the apex.",
    }),
    # RFC 1034 section 3.6.2, RFC 2181 sections 5 and 10.1, RFC 6672 section 2.4
    "records": ((STA,), {
        "sound": "No record contradicts another one.",
        "out-of-zone": "{count} record(s) are not in the zone.",
        "duplicate": "{count} record(s) are there twice.",
        "ttl-differs": "{count} RRset(s) have records with different TTLs.",
        "cname-and-other": "{count} name(s) have a CNAME and other data.",
        "cname-multiple": "{count} name(s) have several CNAME records.",
        "dname-multiple": "{count} name(s) have several DNAME records.",
        "occluded": "{count} RRset(s) can never be answered: they are at or below a delegation, or below a DNAME.",
    }),
    # RFC 1034 section 4.2.1, RFC 2181 section 10.3, RFC 9471
    "delegations": ((REL,), {
        "sound": "All {count} delegations have the glue they need.",
        "glue-missing": "{count} name server name(s) inside their own delegation have no address record.",
        "sibling-glue-missing": "{count} name server name(s) below another delegation have no address record.",
        "glue-orphan": "{count} address record(s) below delegations belong to no name server of the zone.",
        "ns-no-address": "{count} name server name(s) in the zone have no address.",
        "ns-alias": "{count} name server name(s) are aliases.",
    }),
    # RFC 4034 section 5, RFC 9904, RFC 9905
    "ds": ((SEC,), {
        "sound": "The DS records of {count} delegations are well formed and of current algorithms.",
        "without-ns": "{count} name(s) have DS but no NS records.",
        "at-apex": "There is a DS record at the apex; it belongs into the parent zone.",
        "malformed": "{count} DS record(s) are too short.",
        "digest-length": "{count} DS record(s) have a digest of the wrong length.",
        "digest-deprecated": "{count} DS record(s) have a digest type that must not be used for delegation.",
        "digest-unknown": "{count} DS record(s) have an unknown digest type.",
        "algorithm-deprecated": "{count} DS record(s) are for an algorithm that must not be used for signing.",
        "algorithm-unknown": "{count} DS record(s) are for an unknown algorithm.",
    }),
    # RFC 4034 section 2, RFC 5011
    "keys": ((SEC,), {
        "sound": "The zone's keys are of {count} algorithm(s), all current.",
        "unsigned": "{zone} is not signed: it has no DNSKEY and no RRSIG record.",
        "missing": "There are signatures, but no usable DNSKEY record at the apex.",
        "unusable": "{count} DNSKEY record(s) are no zone keys.",
        "budget": "There are more keys than are looked at.",
        "algorithm-deprecated": "{count} algorithm(s) of the zone's keys must not be used for signing.",
    }),
    # RFC 4034 section 3, RFC 4035 sections 2.2 and 5.3
    "signatures": ((SEC,), {
        "valid": "All {count} authoritative RRsets are validly signed.",
        "unsigned": "{count} authoritative RRset(s) have no signature.",
        "invalid": "{count} signature(s) do not fit their records.",
        "expired": "{count} signature(s) have expired.",
        "not-yet-valid": "{count} signature(s) are not valid yet.",
        "no-key": "{count} signature(s) are by keys that the zone does not have.",
        "other-signer": "{count} signature(s) are by another zone.",
        "labels": "{count} signature(s) have a label count that is not their owner's.",
        "malformed": "{count} signature(s) cannot be read.",
        "algorithm-missing": "{count} time(s) an RRset has no signature of an algorithm that the zone's keys have.",
        "superfluous": "{count} signature(s) are of no use beside valid ones of the same RRset.",
        "no-rrset": "{count} signature(s) cover records that are not there.",
        "not-authoritative": "{count} RRset(s) that are not authoritative (glue, NS of a delegation) are signed.",
        "ttl-differs": "{count} signature(s) have another TTL than the records they cover.",
        "original-ttl": "{count} signature(s) were made for another TTL than the records have.",
        "not-checkable": "{count} signature(s) cannot be checked: unknown algorithm, or a key outside the limits.",
        "budget": "{count} signature(s) were not checked: too many for one RRset or key tag.",
        "internal": "The check failed with an error of its own; please report this.",
    }),
    # RFC 4035 section 2.3
    "denial": ((SEC,), {
        "no-chain": "The zone is signed, but its apex has neither NSEC nor NSEC3PARAM.",
    }),
    "nsec": ((SEC,), {
        "complete": "The NSEC chain is closed and has all {count} names.",
        "missing": "{count} name(s) have no NSEC record.",
        "multiple": "{count} name(s) have several NSEC records.",
        "malformed": "{count} NSEC record(s) cannot be read.",
        "next": "{count} NSEC record(s) do not lead to the next name.",
        "types": "{count} NSEC record(s) list other types than their names have.",
        "extra": "{count} NSEC record(s) are at names that are not authoritative.",
    }),
    # RFC 5155 section 7.1, RFC 9276
    "nsec3": ((SEC,), {
        "complete": "The NSEC3 chain is closed and has all names it must have ({count} records).",
        "missing": "{count} name(s) have no NSEC3 record.",
        "multiple": "{count} NSEC3 owner name(s) have several records of the same parameters.",
        "malformed": "{count} NSEC3 or NSEC3PARAM record(s) cannot be read.",
        "next": "{count} NSEC3 record(s) do not lead to the next hash.",
        "types": "{count} NSEC3 record(s) list other types than their names have.",
        "extra": "{count} NSEC3 record(s) are for no name of the zone.",
        "other-parameters": "{count} NSEC3 record(s) have parameters that no NSEC3PARAM announces.",
        "iterations": "NSEC3 uses extra iterations; RFC 9276 asks for none.",
        "salt": "NSEC3 uses a salt; RFC 9276 asks for none.",
        "opt-out": "{count} NSEC3 record(s) have the opt-out flag.",
        "not-checkable": "{count} NSEC3 chain(s) cannot be checked: unknown hash algorithm, or too much to compute.",
    }),
    # RFC 8976
    "zonemd": ((SEC,), {
        "verified": "The digest of the whole zone is right (ZONEMD).",
        "none": "The zone has no ZONEMD record.",
        "mismatch": "{count} ZONEMD record(s) do not match the zone: something in it was changed.",
        "serial": "{count} ZONEMD record(s) are for another serial.",
        "malformed": "{count} ZONEMD record(s) cannot be read.",
        "multiple": "{count} ZONEMD record(s) of the same scheme and algorithm contradict each other.",
        "not-checkable": "{count} ZONEMD record(s) are of an unknown scheme or algorithm.",
    }),
}  # fmt: skip
