"""The checks on zone files: their properties, and the sentence of each code.

Sentences are filled in as those of all checks (`gnomon.checks.sentence`), with `count` and `zone`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gnomon.base import Property

SEC, STA, REL, IOP = Property.SEC, Property.STA, Property.REL, Property.IOP

CHECKS: Mapping[str, tuple[tuple[Property, ...], Mapping[str, str]]] = {
    # RFC 1035 section 5, RFC 2308 section 4, RFC 3597 section 5
    "syntax": ((IOP,), {
        "clean": "{count:The # record|All # records} could be read.",
        "syntax": "{count} {count:line is no record|lines are no records}.",
        "unbalanced": "{count} {count:quote or parenthesis has|quotes or parentheses have} no partner.",
        "ttl": "{count} {count:TTL cannot be read, or is|TTLs cannot be read, or are} above 2147483647 seconds.",
        "unsupported-presentation": "{count} {count:record is|records are} of a type that is read in the form of RFC "
        "3597 only.",
        "include-refused": "$INCLUDE is refused {count} {count:time|times}: it is not asked for, or leads out of the "
        "folder.",
        "generate-refused": "{count} $GENERATE {count:makes|make} no records, or more than 65,536.",
        "class": "{count} {count:record is|records are} of another class than IN.",
        "limit": "Reading stopped at a limit; the rest of the file was not looked at.",
    }),
    # RFC 1035 section 5.2
    "apex": ((STA,), {
        "complete": "{zone} has one SOA record and NS records at its apex.",
        "soa-missing": "There is no SOA record at the apex.",
        "soa-multiple": "There are several different SOA records at the apex.",
        "soa-elsewhere": "{count} {count:SOA record set is at another name|SOA record sets are at other names} than "
        "the apex.",
        "ns-missing": "There is no NS record at the apex.",
    }),
    # RFC 1034 section 3.6.2, RFC 2181 sections 5 and 10.1, RFC 6672 section 2.4
    "records": ((STA,), {
        "sound": "No record contradicts another one.",
        "out-of-zone": "{count} {count:record is|records are} not in the zone.",
        "duplicate": "{count} {count:record is|records are} there twice.",
        "ttl-differs": "{count} {count:RRset has|RRsets have} records with different TTLs.",
        "cname-and-other": "{count} {count:name has|names have} a CNAME and other data.",
        "cname-multiple": "{count} {count:name has|names have} several CNAME records.",
        "dname-multiple": "{count} {count:name has|names have} several DNAME records.",
        "occluded": "{count} {count:RRset can never be answered: it is|RRsets can never be answered: they are} at or "
        "below a delegation, or below a DNAME.",
    }),
    # RFC 1034 section 4.2.1, RFC 2181 section 10.3, RFC 9471
    "delegations": ((REL,), {
        "sound": "{count:The # delegation has the glue it needs|All # delegations have the glue they need}.",
        "glue-missing": "{count} {count:name server name inside its own delegation has|name server names inside "
        "their own delegations have} no address record.",
        "sibling-glue-missing": "{count} {count:name server name below another delegation has|name server names "
        "below another delegation have} no address record.",
        "glue-orphan": "{count} {count:address record below a delegation belongs|address records below delegations "
        "belong} to no name server of the zone.",
        "ns-no-address": "{count} {count:name server name in the zone has|name server names in the zone have} no "
        "address.",
        "ns-alias": "{count} {count:name server name is an alias|name server names are aliases}.",
    }),
    # RFC 4034 section 5, RFC 9904, RFC 9905
    "ds": ((SEC,), {
        "sound": "The DS records of {count} {count:delegation|delegations} are well formed and of current algorithms.",
        "without-ns": "{count} {count:name has|names have} DS but no NS records.",
        "at-apex": "There is a DS record at the apex; it belongs into the parent zone.",
        "malformed": "{count} {count:DS record is|DS records are} too short.",
        "digest-length": "{count} {count:DS record has|DS records have} a digest of the wrong length.",
        "digest-deprecated": "{count} {count:DS record has|DS records have} a digest type that must not be used for "
        "delegation.",
        "digest-unknown": "{count} {count:DS record has|DS records have} an unknown digest type.",
        "algorithm-deprecated": "{count} {count:DS record is|DS records are} for an algorithm that must not be used "
        "for signing.",
        "algorithm-unknown": "{count} {count:DS record is|DS records are} for an unknown algorithm.",
    }),
    # RFC 4034 section 2, RFC 5011
    "keys": ((SEC,), {
        "sound": "The zone's keys are of {count} {count:algorithm, a current one|algorithms, all current}.",
        "unsigned": "{zone} is not signed: it has no DNSKEY and no RRSIG record.",
        "missing": "There are signatures, but no usable DNSKEY record at the apex.",
        "unusable": "{count} {count:DNSKEY record is no zone key|DNSKEY records are no zone keys}.",
        "budget": "There are more keys than are looked at.",
        "algorithm-deprecated": "{count} {count:algorithm|algorithms} of the zone's keys must not be used for signing.",
    }),
    # RFC 4034 section 3, RFC 4035 sections 2.2 and 5.3
    "signatures": ((SEC,), {
        "valid": "{count:The # authoritative RRset is|All # authoritative RRsets are} validly signed.",
        "unsigned": "{count} {count:authoritative RRset has|authoritative RRsets have} no signature.",
        "invalid": "{count} {count:signature does not fit its|signatures do not fit their} records.",
        "expired": "{count} {count:signature has|signatures have} expired.",
        "not-yet-valid": "{count} {count:signature is|signatures are} not valid yet.",
        "no-key": "{count} {count:signature is by a key|signatures are by keys} that the zone does not have.",
        "other-signer": "{count} {count:signature is|signatures are} by another zone.",
        "labels": "{count} {count:signature has a label count that is not its|signatures have a label count that is "
        "not their} owner's.",
        "malformed": "{count} {count:signature cannot be|signatures cannot be} read.",
        "algorithm-missing": "{count} {count:time|times} an RRset has no signature of an algorithm that the zone's "
        "keys have.",
        "superfluous": "{count} {count:signature is|signatures are} of no use beside valid ones of the same RRset.",
        "no-rrset": "{count} {count:signature covers|signatures cover} records that are not there.",
        "not-authoritative": "{count} {count:RRset that is not authoritative (glue, NS of a delegation) is|RRsets "
        "that are not authoritative (glue, NS of a delegation) are} signed.",
        "ttl-differs": "{count} {count:signature has another TTL than the records it covers|signatures have another "
        "TTL than the records they cover}.",
        "original-ttl": "{count} {count:signature was|signatures were} made for another TTL than the records have.",
        "not-checkable": "{count} {count:signature cannot be|signatures cannot be} checked: unknown algorithm, or a "
        "key outside the limits.",
        "budget": "{count} {count:signature was|signatures were} not checked: too many for one RRset or key tag.",
        "internal": "The check failed with an error of its own; please report this.",
    }),
    # RFC 4035 section 2.3
    "denial": ((SEC,), {
        "no-chain": "The zone is signed, but its apex has neither NSEC nor NSEC3PARAM.",
    }),
    "nsec": ((SEC,), {
        "complete": "The NSEC chain is closed and has {count:the # name|all # names}.",
        "missing": "{count} {count:name has|names have} no NSEC record.",
        "multiple": "{count} {count:name has|names have} several NSEC records.",
        "malformed": "{count} {count:NSEC record cannot be|NSEC records cannot be} read.",
        "next": "{count} {count:NSEC record does not|NSEC records do not} lead to the next name.",
        "types": "{count} {count:NSEC record lists other types than its name has|NSEC records list other types than "
        "their names have}.",
        "extra": "{count} {count:NSEC record is at a name that is|NSEC records are at names that are} not "
        "authoritative.",
    }),
    # RFC 5155 section 7.1, RFC 9276
    "nsec3": ((SEC,), {
        "complete": "The NSEC3 chain is closed and has all names it must have ({count} {count:record|records}).",
        "missing": "{count} {count:name has|names have} no NSEC3 record.",
        "multiple": "{count} {count:NSEC3 owner name has|NSEC3 owner names have} several records of the same "
        "parameters.",
        "malformed": "{count} {count:NSEC3 or NSEC3PARAM record cannot be|NSEC3 or NSEC3PARAM records cannot be} read.",
        "next": "{count} {count:NSEC3 record does not|NSEC3 records do not} lead to the next hash.",
        "types": "{count} {count:NSEC3 record lists other types than its name has|NSEC3 records list other types than "
        "their names have}.",
        "extra": "{count} {count:NSEC3 record is|NSEC3 records are} for no name of the zone.",
        "other-parameters": "{count} {count:NSEC3 record has|NSEC3 records have} parameters that no NSEC3PARAM "
        "announces.",
        "iterations": "NSEC3 uses extra iterations; RFC 9276 asks for none.",
        "salt": "NSEC3 uses a salt; RFC 9276 asks for none.",
        "opt-out": "{count} {count:NSEC3 record has|NSEC3 records have} the opt-out flag.",
        "not-checkable": "{count} {count:NSEC3 chain cannot be|NSEC3 chains cannot be} checked: unknown hash "
        "algorithm, or too much to compute.",
    }),
    # RFC 8976
    "zonemd": ((SEC,), {
        "verified": "The digest of the whole zone is right (ZONEMD).",
        "none": "The zone has no ZONEMD record.",
        "mismatch": "{count} {count:ZONEMD record does|ZONEMD records do} not match the zone: something in it was "
        "changed.",
        "serial": "{count} {count:ZONEMD record is|ZONEMD records are} for another serial.",
        "malformed": "{count} {count:ZONEMD record cannot be|ZONEMD records cannot be} read.",
        "multiple": "{count} {count:ZONEMD record|ZONEMD records} of the same scheme and algorithm contradict each "
        "other.",
        "not-checkable": "{count} {count:ZONEMD record is|ZONEMD records are} of an unknown scheme or algorithm.",
    }),
}  # fmt: skip
