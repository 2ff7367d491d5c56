"""Outcomes that no server of the lab provokes: recorded answers are changed instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from crafted import NS2, Change, altered, both, message, on, raw, rcode, record, remade, silence
from gnomon.base import ROOT
from gnomon.checks.signed import Key
from gnomon.checks.view import ZoneClass, ZoneView
from gnomon.wire import dnssec
from gnomon.wire.rdata import Ds
from message_cases import MESSAGE_CASES

Message = dns.message.Message


def clear(flag: int) -> Callable[[Message], object]:
    def edit(m: Message) -> None:
        m.flags &= ~flag

    return edit


def without(rdtype: str, covers: str = "NONE") -> Callable[[Message], object]:
    """The message without the RRsets of a type (with `covers`: without these signatures)."""

    def edit(m: Message) -> None:
        for section in (m.answer, m.authority):
            section[:] = [r for r in section if (r.rdtype, r.covers) != _types(rdtype, covers)]

    return edit


def rewritten(rdtype: str, covers: str, change: Callable[[bytes], bytes]) -> Callable[[Message], object]:
    """The message with the octets of all records of a type changed."""

    def edit(m: Message) -> None:
        for section in (m.answer, m.authority):
            for at, rrset in enumerate(section):
                if (rrset.rdtype, rrset.covers) == _types(rdtype, covers):
                    rdatas = [dns.rdata.from_wire(1, rrset.rdtype, o := change(r.to_wire()), 0, len(o)) for r in rrset]
                    section[at] = dns.rrset.from_rdata_list(rrset.name, rrset.ttl, rdatas)

    return edit


def _types(rdtype: str, covers: str) -> tuple[int, int]:
    return dns.rdatatype.from_text(rdtype), dns.rdatatype.from_text(covers) if covers != "NONE" else 0


def add(section: str, text: str) -> Callable[[Message], object]:
    return lambda m: getattr(m, section).append(record(text))


def edns(**changes: int) -> Callable[[Message], object]:
    """The message with another EDNS version, or without OPT (edns=-1)."""

    def edit(m: Message) -> None:
        m.use_edns(edns=changes.get("edns", 0), ednsflags=m.ednsflags, payload=1232, options=m.options)

    return edit


def shift(by_s: int) -> Callable[[bytes], bytes]:
    """An RRSIG with both its times moved."""

    def change(octets: bytes) -> bytes:
        ends, begins = (int.from_bytes(octets[at : at + 4], "big") + by_s for at in (8, 12))
        return octets[:8] + ends.to_bytes(4, "big") + begins.to_bytes(4, "big") + octets[16:]

    return change


def twice_with(change: Callable[[bytes], bytes]) -> Callable[[Message], object]:
    """The message with a changed copy of each signature beside it."""

    def edit(m: Message) -> None:
        for rrset in [r for r in m.answer if r.rdtype == dns.rdatatype.RRSIG]:
            for octets in [change(r.to_wire()) for r in rrset]:
                rrset.add(dns.rdata.from_wire(1, dns.rdatatype.RRSIG, octets, 0, len(octets)))

    return edit


def tag(octets: bytes) -> bytes:
    """An RRSIG of another key tag."""
    return octets[:16] + bytes([octets[16] ^ 1]) + octets[17:]


def signer(octets: bytes) -> bytes:
    """An RRSIG whose signer is `test.`."""
    return octets[:18] + b"\4test\0" + octets[18 + 14 :]


def algorithm(number: int) -> Callable[[bytes], bytes]:
    """Another algorithm in an RRSIG or DNSKEY: its octet is at 2 in one, at 3 in the other."""
    return lambda o: o[:2] + bytes([number]) + o[3:]


def named(rdtype: str, owner: str) -> Callable[[Message], object]:
    """The message with the RRsets of a type under another owner."""

    def edit(m: Message) -> None:
        for section in (m.answer, m.authority):
            for rrset in section:
                if rrset.rdtype == dns.rdatatype.from_text(rdtype):
                    rrset.name = dns.name.from_text(owner)

    return edit


def answered(text: str) -> Callable[[Message], object]:
    """The message with this record as its only answer."""

    def edit(m: Message) -> None:
        m.answer[:] = [record(text)]

    return edit


def denied(*texts: str) -> Callable[[Message], object]:
    """The message as a denial with these records."""

    def edit(m: Message) -> None:
        m.answer.clear()
        m.authority[:] = [record(text) for text in texts]

    return edit


def both_of(*edits: Callable[[Message], object]) -> Callable[[Message], object]:
    def edit(m: Message) -> None:
        for one in edits:
            one(m)

    return edit


def truncated(m: Message) -> None:
    m.flags |= dns.flags.TC
    m.answer.clear()


def beside_ed448(view: ZoneView) -> ZoneView:
    """One more key with an algorithm that the core cannot verify, and one more signature with it."""
    ed448 = b"\1\0\3\x10" + bytes(57)
    key = dns.rdata.from_wire(1, dns.rdatatype.DNSKEY, ed448, 0, len(ed448))
    key_tag = dns.dnssec.key_id(key).to_bytes(2, "big")

    def with_key(m: Message) -> None:
        m.answer[0].add(key)

    changed = altered(view, "Q4", message(with_key), NS2)
    return altered(changed, "Q8N", message(twice_with(lambda o: o[:2] + b"\x10" + o[3:16] + key_tag + o[18:])), NS2)


def unlike(one: str, other: str) -> Change:
    """Two servers with different NSEC3PARAM records."""
    start = "example.test. 60 IN NSEC3PARAM "
    return both(on("Q8P", add("answer", start + one), "28.7.7.53"), on("Q8P", add("answer", start + other)))


def of_class(view: ZoneView, zone_class: ZoneClass) -> ZoneView:
    return ZoneView(view.zone, view.exchanges, root_anchors=view.root_anchors, zone_class=zone_class)


def unsigned_wildcard(m: Message) -> None:
    """An answer as from `*.example.test.` with a signature that says so, and no proof."""
    m.set_rcode(0)
    m.authority.clear()
    name = m.question[0].name
    m.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1"))
    sig = "A 13 2 3600 20261114000000 20261031000000 1 example.test. AAAA"
    m.answer.append(dns.rrset.from_text(name, 60, "IN", "RRSIG", sig))


def tiny_key(m: Message) -> None:
    m.answer[:] = [
        dns.rrset.from_rdata(m.answer[0].name, 3600, dns.rdata.GenericRdata(1, dns.rdatatype.DNSKEY, b"\1\0\3"))
    ]


def ds_of_zsk(view: ZoneView) -> Callable[[Message], object]:
    """One more DS, for the key that signs only data."""
    published = view.keys()
    (zsk,) = (key for key in published if not key.dnskey.is_sep)
    rdata = dns.rdata.from_wire(1, dns.rdatatype.DNSKEY, zsk.rdata, 0, len(zsk.rdata))
    return lambda m: m.answer[0].add(dns.dnssec.make_ds(str(view.zone), rdata, "SHA256"))


def compactly(next_name: str, types: str, owner: str = "") -> Callable[[Message], object]:
    """The message as a compact denial of the name asked for (RFC 9824)."""

    def edit(m: Message) -> None:
        m.set_rcode(0)
        name = m.question[0].name.to_text()
        m.authority[:] = [record(f"{owner or name} 60 IN NSEC {next_name.replace('Q', name)} {types}")]

    return edit


def with_sha1_ds(m: Message) -> None:
    """Beside each DS one with SHA-1 for the same key."""
    for ds in list(m.answer[0]):
        m.answer[0].add(dns.rdata.from_text("IN", "DS", f"{ds.key_tag} {ds.algorithm} 1 {'00' * 20}"))


def own_ds(m: Message) -> None:
    """A DS at the apex of the zone, signed by the zone."""
    m.authority.clear()
    m.answer.append(record("example.test. 60 IN DS 1 13 2 " + "00" * 32))
    m.answer.append(record("example.test. 60 IN RRSIG DS 13 2 60 20261114000000 20261031000000 1 example.test. AAAA"))


def only_zsk_with_ds(view: ZoneView) -> ZoneView:
    """As if the key without SEP flag were the only one, and the DS named it."""

    def without_sep(m: Message) -> None:
        m.answer[0] = dns.rrset.from_rdata_list(m.answer[0].name, 60, [key for key in m.answer[0] if not key.flags & 1])

    return altered(altered(view, "P2", message(ds_of_zsk(view))), "Q4", message(without_sep))


def only_plain_has_authority(view: ZoneView) -> ZoneView:
    """As if the DNSKEY question had been repeated without EDNS."""
    return remade(view, [*view.exchanges, *(replace(x, ask="Q4N") for x in view.asked("Q4"))])


def sampled_elsewhere(view: ZoneView) -> ZoneView:
    """As if the servers had been asked to transfer another zone that they serve."""
    query = dns.message.make_query("other.test.", "AXFR").to_wire()
    return remade(view, (replace(x, query=query) if x.ask in ("S20", "S21") else x for x in view.exchanges))


NSEC3 = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.test. 60 IN NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"
FAILING = both(*(on(ask, rcode("SERVFAIL"), "") for ask in ("Q5", "Q6", "Q8P", "Q8N")))
NSEC3_SIGNED_BY_TEST = NSEC3.partition(" ")[0] + " 60 IN RRSIG NSEC3 13 3 60 20261114000000 20261031000000 1 test. AAAA"
PARAM = "example.test. 60 IN NSEC3PARAM 1 0 0 -"
CASES: dict[str, Change] = {
    "dnssec.servers-agree-signed/unexpected-rcode": on("Q4", rcode("SERVFAIL")),
    "dnssec.servers-agree-signed/not-authoritative": on("Q4", clear(dns.flags.AA)),
    "dnssec.servers-agree-signed/dnskey-dropped": raw("Q4", silence),
    "ds.matches-dnskey/none-at-some": on("Q4", rewritten("DNSKEY", "NONE", lambda o: o[:-1] + bytes([o[-1] ^ 1]))),
    "ds.matches-dnskey/digest-differs": on(
        "P2", lambda m: m.answer[0].add(_copy(m.answer[0], lambda o: o[:-1] + bytes([o[-1] ^ 1]))), ""
    ),
    "ds.key-signs-dnskey/one-does-not": lambda view: altered(view, "P2", message(ds_of_zsk(view))),
    "key.well-formed/unreadable": on("Q4", tiny_key),
    "sig.dnskey/missing": on("Q4", without("RRSIG", "DNSKEY")),
    "sig.dnskey/no-key": on("Q4", rewritten("RRSIG", "DNSKEY", tag)),
    "sig.dnskey/unusable": on("Q4", rewritten("RRSIG", "DNSKEY", signer)),
    "sig.dnskey/no-rrset": both(only_plain_has_authority, on("Q4", clear(dns.flags.AA))),
    "sig.soa/missing": on("Q2", without("RRSIG", "SOA")),
    "sig.soa/unusable": on("Q2", rewritten("RRSIG", "SOA", signer)),
    "sig.soa/no-answer": raw("Q2", silence),
    "sig.not-expired/one-expired": on("Q4", twice_with(shift(-30 * 86_400))),
    "denial.present/missing-wildcard": on("Q5", unsigned_wildcard),
    "denial.present/no-negative-answer": both(on("Q5", rcode("SERVFAIL"), ""), on("Q6", rcode("SERVFAIL"), "")),
    "denial.present/no-answer": both(raw("Q5", silence), raw("Q6", silence)),
    "denial.one-kind/mixed": on("Q8P", add("answer", PARAM)),
    "denial.nsec-apex/several": on("Q8P", add("authority", "www.example.test. 60 IN NSEC example.test. A")),
    "denial.nsec-apex/wrong-owner": on("Q8N", named("NSEC", "www.example.test.")),
    "denial.nsec-apex/contradicts": on("Q8P", without("NSEC")),
    "denial.nsec-apex/half-seen": raw("Q8P", silence),
    "denial.nsec-apex/query-error": on("Q8N", rcode("SERVFAIL")),
    "denial.nsec-apex/strange-answer": on("Q8N", answered("example.test. 60 IN A 192.0.2.1")),
    "denial.nsec-apex/other-soa": on("Q8P", named("SOA", "test.")),
    "denial.nsec3-apex/several": on("Q8N", denied(NSEC3, NSEC3.replace("0p9", "1p9"))),
    "denial.nsec3-apex/wrong-owner": on("Q8N", denied(NSEC3)),
    "denial.nsec3-apex/half-seen": both(on("Q8N", denied(NSEC3)), raw("Q8P", silence)),
    "denial.nsec3-apex/other-soa": on("Q8N", denied(NSEC3, "test. 60 IN SOA a.test. b.test. 1 2 3 4 5")),
    "denial.nsec3param/several": on(
        "Q8P", both_of(add("answer", PARAM), add("answer", PARAM.replace("1 0 0", "1 0 1")))
    ),
    "denial.nsec3param/wrong-owner": on("Q8P", add("answer", "www." + PARAM)),
    "denial.nsec3param/query-error": on("Q8P", rcode("SERVFAIL")),
    "denial.nsec3param/strange-answer": on("Q8P", answered("example.test. 60 IN A 192.0.2.1")),
    "denial.signed/nsec-missing": on("Q6", without("RRSIG", "NSEC")),
    "denial.signed/nsec-unusable": on("Q6", rewritten("RRSIG", "NSEC", signer)),
    "denial.signed/nsec3-missing": on("Q8N", denied(NSEC3)),
    "denial.signed/nsec3-unusable": on("Q8N", denied(NSEC3, NSEC3_SIGNED_BY_TEST)),
    "denial.signed/beside-no-key": on("Q8N", twice_with(tag)),
    "denial.signed/beside-not-checkable": beside_ed448,
    "denial.nsec3-consistent/iterations-differ": unlike("1 0 0 -", "1 0 5 -"),
    "denial.nsec3-consistent/salt-differs": unlike("1 0 0 -", "1 0 0 AABB"),
    "denial.nsec3-opt-out/on-registry": lambda view: of_class(
        on("Q8N", denied(NSEC3.replace("1 0 0", "1 1 0")))(view), "T"
    ),
    "denial.compact/far-next": on("Q5", compactly("zzz.example.test.", "RRSIG NSEC TYPE128")),
    "denial.compact/wrong-owner": on("Q5", compactly("zzz.example.test.", "RRSIG NSEC TYPE128", "aaa.example.test.")),
    "denial.compact/unmarked": on("Q5", compactly("\\000.Q", "RRSIG NSEC")),
    "denial.covers/last-not-apex": on("Q5", denied("zzz.example.test. 60 IN NSEC aaa.example.test. A RRSIG NSEC")),
    "denial.nsec3-wellformed/bad-owner": on("Q8N", denied("nohash" + NSEC3)),
    "denial.nsec3-wellformed/bad-hash": on(
        "Q8N", denied(NSEC3.replace("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2t7b4g4v"))
    ),
    "ds.sha256-present/weaker-ignored": on("P2", with_sha1_ds, ""),
    "denial.delegation/soa-bit": on("P2", denied("example.test. 60 IN NSEC other.test. NS SOA RRSIG NSEC"), ""),
    "denial.delegation/ds-bit": on("P2", denied("example.test. 60 IN NSEC other.test. NS DS RRSIG NSEC"), ""),
    "denial.delegation/opt-out-unset": on("P2", denied(f"{'0' * 32}.test. 60 IN NSEC3 1 0 0 - {'v' * 32} NS"), ""),
    "denial.delegation/iterations": on("P2", denied(f"{'0' * 32}.test. 60 IN NSEC3 1 0 51 - {'v' * 32} NS"), ""),
    "dnssec.ds-answer-authoritative/dropped": raw("P2", silence, ""),
    "dnssec.ds-answer-authoritative/nxdomain": on("P2", rcode("NXDOMAIN"), ""),
    "dnssec.ds-answer-authoritative/not-authoritative": on("P2", clear(dns.flags.AA), ""),
    "dnssec.ds-at-child/dropped": raw("Q8D", silence, ""),
    "dnssec.ds-at-child/own-ds": on("Q8D", own_ds, ""),
    "dnssec.ds-at-child/referral": on("Q8D", both_of(clear(dns.flags.AA), denied("test. 60 IN NS a.nic.test.")), ""),
    "key.sep-present/told-elsewhere": only_zsk_with_ds,
    "sig.inception/one-future": on("Q4", twice_with(shift(30 * 86_400))),
    "edns.support/error": on("Q3", rcode("SERVFAIL")),
    "edns.support/wrong-version": on("Q3", edns(edns=1)),
    "edns.support/no-data": on("Q3", lambda m: m.answer.clear()),
    "edns.version/no-opt": on("S4", edns(edns=-1)),
    "edns.version/wrong-rcode": on("S4", rcode("FORMERR")),
    "edns.version/wrong-version": on("S4", edns(edns=1)),
    "edns.version/not-empty": on("S4", add("answer", "example.test. 60 IN A 192.0.2.1")),
    "edns.unknown-option/no-opt": on("S6", edns(edns=-1)),
    "edns.unknown-option/no-soa": on("S6", lambda m: m.answer.clear()),
    "edns.unknown-option/not-authoritative": on("S6", clear(dns.flags.AA)),
    "edns.unknown-flag/no-opt": on("S6", edns(edns=-1)),
    "edns.unknown-flag/no-soa": on("S6", lambda m: m.answer.clear()),
    "edns.unknown-flag/not-authoritative": on("S6", clear(dns.flags.AA)),
    "edns.unknown-flag/wrong-rcode": on("S6", rcode("SERVFAIL")),
    "hdr.unknown-opcode/opcode-changed": raw("S7", lambda o: o[:2] + bytes([o[2] & 0x87]) + o[3:]),
    "hdr.unknown-type/answered": on("Q6", add("answer", "example.test. 60 IN TYPE65280 \\# 1 00")),
    "hdr.case-preserved/no-question": on("Q2", lambda m: m.question.clear()),
    "hdr.wellformed/trailing-octets": raw("Q1", lambda o: o + b"junk"),
    "hdr.wellformed/bad-record": raw("Q1", lambda o: o[:6] + b"\0\2" + o[8:] + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\3abc"),
    "resp.negative-soa/wrong-owner": on(
        "Q6", lambda m: [setattr(r, "name", r.name.parent()) for r in m.authority if r.rdtype == dns.rdatatype.SOA]
    ),
    "resp.negative-soa/no-negative-answer": FAILING,
    "del.lame/rcode": on("Q1", rcode("NOTAUTH")),
    "del.zone-exists/child-without-parent": on("P1", denied("test. 60 IN SOA a.test. b.test. 1 2 3 4 5"), ""),
    "net.tc-fallback/not-followed": on("Q4", truncated),
    "mail.spf-single/no-answer": on("Z1T", truncated, ""),
    "exp.axfr/other-zone": sampled_elsewhere,
    "exp.ixfr/other-zone": sampled_elsewhere,
    "exp.version/breaks": on("S17", rcode("SERVFAIL")),
    "exp.version/dropped": raw("S17", silence),
}


CASES |= MESSAGE_CASES


def _copy(rrset: dns.rrset.RRset, change: Callable[[bytes], bytes]) -> dns.rdata.Rdata:
    octets = change(rrset[0].to_wire())
    return dns.rdata.from_wire(1, rrset.rdtype, octets, 0, len(octets))


AT_ROOT: dict[str, Callable[[Ds, Key], Ds]] = {
    "dnssec.trust-anchor/absent": lambda anchor, zsk: anchor._replace(key_tag=anchor.key_tag ^ 1),
    "dnssec.trust-anchor/standby": lambda anchor, zsk: anchor._replace(
        key_tag=zsk.dnskey.key_tag, digest=dnssec.ds_digest(ROOT, zsk.rdata, anchor.digest_type)
    ),
}
