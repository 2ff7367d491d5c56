import base64
from ipaddress import ip_address

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_probes import PROBES, TCP, UDP, ZONE, address_of, ask, query

from gnomon.base import Name, Transport
from gnomon.lab import RESET, Placement, World, build_world

NS1 = "ns1.example.test."
PARENT = "a.nic.test."


def keys_of(world: World, zone: str, host: str) -> dict[dns.name.Name, dns.rrset.RRset]:
    name = dns.name.from_text(zone)
    answer = ask(world, host, query(zone, "DNSKEY"), TCP)
    rrset = answer.find_rrset(answer.answer, name, 1, dns.rdatatype.DNSKEY)
    return {name: rrset}


def check_signatures(world: World, message: dns.message.Message, keys: dict[dns.name.Name, dns.rrset.RRset]) -> int:
    """Validate every RRset that has signatures; how many had."""
    checked = 0
    for section in (message.answer, message.authority, message.additional):
        for rrset in section:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            signatures = [
                r for r in section
                if r.rdtype == dns.rdatatype.RRSIG and r.name == rrset.name and r.covers == rrset.rdtype
            ]  # fmt: skip
            if signatures:
                dns.dnssec.validate(rrset, signatures[0], keys, now=world.clock_s)
                checked += 1
    return checked


def check_denial(message: dns.message.Message, qname: dns.name.Name, apex: dns.name.Name) -> None:
    """The NSEC or NSEC3 records prove what the response says (RFC 4035 section 5.4, RFC 5155 section 8)."""
    nsec = {r.name: r[0] for r in message.authority if r.rdtype == dns.rdatatype.NSEC}
    nsec3 = {r.name.labels[0].lower().decode(): r[0] for r in message.authority if r.rdtype == dns.rdatatype.NSEC3}
    assert bool(nsec) != bool(nsec3)
    nxdomain = message.rcode() == dns.rcode.NXDOMAIN

    def covered(name: dns.name.Name) -> bool:
        if nsec:
            return any((owner < name < r.next) or (r.next == apex and owner < name) for owner, r in nsec.items())
        some = next(iter(nsec3.values()))
        digest = dns.dnssec.nsec3_hash(name, some.salt, some.iterations, 1).lower()
        for owner, r in nsec3.items():
            after = base64.b32hexencode(r.next).decode().lower()
            if owner < digest < after or (after <= owner and (digest > owner or digest < after)):
                return True
        return False

    def matched(name: dns.name.Name) -> bool:
        if nsec:
            return name in nsec
        some = next(iter(nsec3.values()))
        return dns.dnssec.nsec3_hash(name, some.salt, some.iterations, 1).lower() in nsec3

    if not nxdomain:
        assert matched(qname)
        return
    encloser = qname.parent()
    while not matched(encloser) and encloser != apex:
        encloser = encloser.parent()
    next_closer = dns.name.Name(qname.labels[-len(encloser.labels) - 1 :])
    assert covered(next_closer if nsec3 else qname)
    assert covered(dns.name.Name((b"*", *encloser.labels)))


@pytest.mark.parametrize("denial", [{"denial": "nsec"}, {"nsec3": {}}, {"nsec3": {"iterations": 3, "salt": "ab01"}}])
@pytest.mark.parametrize(
    "algorithm",
    [{"algorithm": n} for n in (5, 7, 8, 10, 13, 14, 15, 16)] + [{"csk": True}, {"algorithm": 8, "rsa_bits": 1024}],
)
def test_every_signature_and_denial_holds(denial: dict[str, object], algorithm: dict[str, object]) -> None:
    world = build_world({**denial, **algorithm})
    keys = keys_of(world, ZONE, NS1)
    for code in ("Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9"):
        transport, octets = PROBES[code]
        message = ask(world, NS1, octets, transport)
        if message.flags & dns.flags.TC:
            message = ask(world, NS1, octets, TCP)
        assert message.flags & dns.flags.AA
        assert check_signatures(world, message, keys) >= 1
        if not message.answer:
            assert any(r.rdtype == dns.rdatatype.SOA for r in message.authority)
            check_denial(message, message.question[0].name, dns.name.from_text(ZONE))


def test_chain_of_trust_from_the_anchor_to_the_zone() -> None:
    world = build_world()
    (anchor,) = world.trust_anchors()
    keys = keys_of(world, ".", "a.root-servers.test.")
    ksk = next(k for k in keys[dns.name.root] if k.flags == 257)
    text = dns.dnssec.make_ds(dns.name.root, ksk, "SHA256").to_text().upper()
    assert anchor.split(" DS ")[1] == text
    for parent, host, zone, child in ((".", "b.root-servers.test.", "test.", PARENT), ("test.", PARENT, ZONE, NS1)):
        answer = ask(world, host, query(zone, "DS"))
        assert answer.flags & dns.flags.AA
        assert check_signatures(world, answer, keys_of(world, parent, host)) == 1
        ds = answer.answer[0][0]
        child_keys = keys_of(world, zone, child)[dns.name.from_text(zone)]
        assert ds in [dns.dnssec.make_ds(dns.name.from_text(zone), key, ds.digest_type) for key in child_keys]


def test_referral_has_delegation_ds_and_glue() -> None:
    world = build_world()
    for rtype in ("NS", "A"):
        message = ask(world, PARENT, query("www.example.test.", rtype))
        assert message.rcode() == 0 and not message.flags & dns.flags.AA and not message.answer
        assert [dns.rdatatype.to_text(r.rdtype) for r in message.authority] == ["NS", "DS", "RRSIG"]
        glue = {(str(r.name), str(r[0])) for r in message.additional}
        hosts = world.zones[Name.from_text(ZONE)].ns
        assert glue == {(str(host), str(a)) for host in hosts for a in world.addresses_of(host)}


@pytest.mark.parametrize("parent_signed", [True, False])
def test_referral_to_an_unsigned_zone_has_a_proof_if_the_parent_is_signed(parent_signed: bool) -> None:
    world = build_world({"signed": False, "parent_signed": parent_signed})
    message = ask(world, PARENT, query(ZONE, "NS"))
    nsec = [r for r in message.authority if r.rdtype == dns.rdatatype.NSEC]
    assert len(nsec) == parent_signed
    if nsec:
        assert nsec[0].name == dns.name.from_text(ZONE)
        assert check_signatures(world, message, keys_of(world, "test.", PARENT)) == 1
        assert nsec[0][0].windows == ((0, b"\x20\x00\x00\x00\x00\x03"),)  # NS RRSIG NSEC


def test_without_do_there_is_no_dnssec() -> None:
    world = build_world()
    for host, name, rtype in ((NS1, ZONE, "SOA"), (NS1, "nothing.example.test.", "A"), (PARENT, ZONE, "NS")):
        for octets in (query(name, rtype, edns=False), query(name, rtype, do=False)):
            message = ask(world, host, octets)
            types = {r.rdtype for s in (message.answer, message.authority, message.additional) for r in s}
            assert not types & {dns.rdatatype.RRSIG, dns.rdatatype.NSEC}


def test_edns() -> None:
    world = build_world()
    plain = ask(world, NS1, query(ZONE, "SOA", edns=False))
    assert plain.edns == -1
    asked = query(ZONE, "SOA", flags=0x0040, options=((3, b""), (65001, b"x"), (10, b"12345678")))
    full = ask(world, NS1, asked)
    assert (full.edns, full.ednsflags, full.payload) == (0, 0x8000, 1232)
    assert [int(o.otype) for o in full.options] == [3]
    bad = ask(world, NS1, query(ZONE, "SOA", version=1))
    assert bad.rcode() == dns.rcode.BADVERS and bad.edns == 0 and not bad.answer


def test_sizes() -> None:
    world = build_world({"algorithm": 8, "rsa_bits": 2048})
    for octets, limit, truncated in (
        (query(ZONE, "DNSKEY", edns=False), 512, True),
        (query(ZONE, "DNSKEY", size=512), 512, True),
        (query(ZONE, "DNSKEY", size=4096), 1232, False),
        (query("nothing.example.test.", "A", size=600), 600, True),
        (query(ZONE, "NS", size=600), 600, False),  # the additional section is dropped instead
    ):
        (reply,) = world.respond(address_of(world, NS1), UDP, octets)
        message = dns.message.from_wire(reply)
        assert len(reply) <= limit
        assert bool(message.flags & dns.flags.TC) is truncated
        assert not (truncated and (message.answer or message.authority))
        over_tcp = ask(world, NS1, octets, TCP)
        assert over_tcp.answer or over_tcp.authority


def test_needed_glue_is_not_dropped_silently() -> None:
    world = build_world({"ns": [f"server-number-{n:02d}.example.test." for n in range(12)]})
    message = ask(world, PARENT, query(ZONE, "NS", edns=False))
    assert message.flags & dns.flags.TC


def test_refusals() -> None:
    world = build_world()
    for code, rcode in (
        ("S7", "NOTIMP"),
        ("S10", "REFUSED"),
        ("S11", "REFUSED"),
        ("S17", "REFUSED"),
        ("S20", "REFUSED"),
    ):
        transport, octets = PROBES[code]
        message = ask(world, NS1, octets, transport)
        assert dns.rcode.to_text(message.rcode()) == rcode
        assert not message.answer and not message.authority
        assert not message.flags & (dns.flags.AA | dns.flags.RA)


def test_question_is_repeated_in_the_case_it_was_asked() -> None:
    world = build_world()
    for name in ("eXaMPle.tEst.", "NOTHING.example.TEST.", "example.test."):
        message = ask(world, NS1, query(name, "SOA"))
        assert message.question[0].name.to_text() == name


def test_data_under_a_cut_is_not_authoritative_at_the_parent() -> None:
    world = build_world()
    message = ask(world, PARENT, query("ns1.example.test.", "A"))
    assert not message.flags & dns.flags.AA and not message.answer


def test_parent_and_child_on_the_same_server() -> None:
    world = build_world({"ns": ["a.nic.test.", "b.nic.test."], "soa": {"mname": "a.nic.test."}})
    ds = ask(world, PARENT, query(ZONE, "DS"))
    assert ds.flags & dns.flags.AA and check_signatures(world, ds, keys_of(world, "test.", PARENT)) == 1
    ns = ask(world, PARENT, query(ZONE, "NS"))
    assert ns.flags & dns.flags.AA and ns.answer
    no_ds = ask(world, PARENT, query("test.", "DS"))
    assert not no_ds.answer and no_ds.authority[0].name == dns.name.from_text("test.")


def test_unknown_address_is_silent() -> None:
    world = build_world()
    assert world.respond(ip_address("9.9.9.9"), UDP, query(ZONE, "SOA")) == []


def test_loopback_addresses_are_distinct_and_in_127() -> None:
    world = build_world()
    mapped = list(world.loopback.values())
    assert len(set(mapped)) == len(mapped) == len(world.zones_at)
    for address in mapped:
        assert address.is_loopback and str(address) not in ("127.0.0.1", "127.0.0.53")


WORLD = build_world({"nsec3": {}}, [Placement("tls", NS1)])
ADDRESS = address_of(WORLD, NS1)


@given(octets=st.binary(max_size=200), transport=st.sampled_from(Transport))
def test_respond_never_raises_on_random_octets(octets: bytes, transport: Transport) -> None:
    reply = WORLD.respond(ADDRESS, transport, octets)
    assert reply is not RESET and len(reply) <= 1
    for message in reply:
        assert message[:2] == octets[:2] and message[2] & 0x80


@given(data=st.data(), code=st.sampled_from(sorted(PROBES)))
def test_respond_never_raises_on_damaged_queries(data: st.DataObject, code: str) -> None:
    transport, octets = PROBES[code]
    damaged = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(2, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for query_octets in (bytes(damaged), octets[:cut], octets + octets[cut:]):
        for message in WORLD.respond(ADDRESS, transport, query_octets) or ():
            if message[2] & 0x78 == 0:  # dnspython wants more of an UPDATE than a header
                dns.message.from_wire(message, ignore_trailing=True)


LABEL = st.binary(min_size=1, max_size=12)


@given(labels=st.lists(LABEL, max_size=4), rtype=st.integers(1, 260), do=st.booleans())
def test_answers_do_not_depend_on_what_was_asked_before(labels: list[bytes], rtype: int, do: bool) -> None:
    name = dns.name.Name([*labels, b"example", b"test", b""]).to_text()
    octets = query(name, rtype, do=do)
    first = WORLD.respond(ADDRESS, UDP, octets)
    assert first == WORLD.respond(ADDRESS, UDP, octets) == FRESH.respond(ADDRESS, UDP, octets)
    message = dns.message.from_wire(first[0])
    if message.rcode() in (0, 3) and do:
        check_signatures(WORLD, message, KEYS)


FRESH = build_world({"nsec3": {}})
KEYS = keys_of(WORLD, ZONE, NS1)
