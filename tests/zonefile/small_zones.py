"""Small signed zones, made with dnspython: one record a line, names absolute."""

from __future__ import annotations

from functools import lru_cache

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

AT = 1_800_000_000
TTL_S = 3600
UNSIGNED = """\
@ SOA ns1 host 2026010101 1800 900 604800 900
@ NS ns1
@ NS ns2.other.test.
@ MX 10 mail
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.2
a.b.c TXT "deep"
*.wild TXT "w"
alias CNAME mail
sec NS ns1.sec
sec NS ns.other.test.
sec DS 12345 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
ns1.sec A 192.0.2.3
ins NS ns1.ins
ns1.ins A 192.0.2.4
far NS ns.other.test.
x.y.ent NS ns.other.test.
moved DNAME mail
"""
_ORIGIN = dns.name.from_text("ex.")
_SALT = "aabb"


@lru_cache
def signed(denial: str, inception: int = AT - 86400, expiration: int = AT + 86400) -> tuple[str, ...]:
    """The lines of the signed zone `ex.`; denial is nsec, nsec3 or opt-out."""
    zone = dns.zone.from_text(f"$TTL {TTL_S}\n{UNSIGNED}", _ORIGIN, relativize=False)
    private = generate_private_key(SECP256R1())
    key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
    names = sorted(zone.nodes)
    cuts = [name for name in names if name != _ORIGIN and zone.get_rdataset(name, "NS")]
    below = {name for name in names for cut in cuts if name != cut and name.is_subdomain(cut)}
    chain = [name for name in names if name not in below]
    zone.replace_rdataset(_ORIGIN, dns.rdataset.from_rdata(TTL_S, key))
    if denial == "nsec":
        for name, after in zip(chain, chain[1:] + chain[:1], strict=True):
            _add(zone, name, f"NSEC {after} {' '.join(_types(zone, name, cuts) | {'RRSIG', 'NSEC'})}")
    else:
        _add_nsec3(zone, chain, cuts, opt_out=denial == "opt-out")
    lines = []
    for name, node in sorted(zone.nodes.items()):
        for rdataset in node.rdatasets:
            rtype = dns.rdatatype.to_text(rdataset.rdtype)
            lines += [f"{name} {rdataset.ttl} IN {rtype} {rdata.to_text()}" for rdata in rdataset]
            if name not in below and (name not in cuts or rtype in ("DS", "NSEC")):
                rrset = dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
                rrsig = dns.dnssec.sign(rrset, private, _ORIGIN, key, inception, expiration)
                lines.append(f"{name} {rdataset.ttl} IN RRSIG {rrsig.to_text()}")
    return tuple(lines)


def _add_nsec3(zone: dns.zone.Zone, chain: list[dns.name.Name], cuts: list[dns.name.Name], *, opt_out: bool) -> None:
    _add(zone, _ORIGIN, f"NSEC3PARAM 1 0 3 {_SALT}")
    types: dict[dns.name.Name, set[str]] = {}
    for name in chain:
        found = _types(zone, name, cuts)
        if opt_out and name in cuts and "DS" not in found:
            continue
        types[name] = found | ({"RRSIG"} if name not in cuts or "DS" in found else set())
        above = name.parent() if name != _ORIGIN else name
        while above != _ORIGIN and above not in chain:
            types.setdefault(above, set())
            above = above.parent()
    hashes = sorted((dns.dnssec.nsec3_hash(name, _SALT, 3, 1).lower(), found) for name, found in types.items())
    for (own, found), (after, _) in zip(hashes, hashes[1:] + hashes[:1], strict=True):
        owner = dns.name.from_text(own, _ORIGIN)
        _add(zone, owner, f"NSEC3 1 {int(opt_out)} 3 {_SALT} {after} {' '.join(found)}")


def _types(zone: dns.zone.Zone, name: dns.name.Name, cuts: list[dns.name.Name]) -> set[str]:
    found = {dns.rdatatype.to_text(rdataset.rdtype) for rdataset in zone.nodes[name].rdatasets}
    return found & {"NS", "DS"} if name in cuts else found


def _add(zone: dns.zone.Zone, name: dns.name.Name, text: str) -> None:
    rtype, _, rest = text.partition(" ")
    rdata = dns.rdata.from_text("IN", rtype, rest, origin=_ORIGIN, relativize=False)
    zone.find_rdataset(name, rtype, create=True).add(rdata, TTL_S)
