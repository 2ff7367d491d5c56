from collections.abc import Callable
from types import SimpleNamespace

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest
from lab_probes import PROBES, TCP, UDP, ZONE, address_of, all_answers, ask, query

from gnomon.base import InputError, Name, Transport
from gnomon.lab import FAULTS, RESET, Placement, World, build_world
from gnomon.lab.faults import Closed

NS1 = "ns1.example.test."
EXAMPLE = Name.from_text(ZONE)
ALL = set(PROBES)
WITH_EDNS = {"Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "S1", "S2", "S3"}
WITH_DO = WITH_EDNS - {"S1", "S3"}
OVER_TCP = {"Q7", "S20"}
ANSWERS = {"Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "S2", "S3"}
SOA_SHOWN = {"Q1", "Q2", "Q5", "Q6", "Q7", "Q8", "S2", "S3"}

# Which of the probes a fault at one server of the zone changes: these and no others.
CHANGES = {
    "aa-lost": {"Q5", "Q6", "Q8"},
    "aaaa-denied": set(),
    "aaaa-dropped": set(),
    "aaaa-nxdomain": set(),
    "ad-dropped": set(),
    "alias-beside": set(),
    "any-full": set(),
    "any-whole": set(),
    "apex-address": {"Q5", "Q6", "Q8"},
    "axfr-open": {"S20"},
    "below-servfail": set(),
    "caa-dropped": set(),
    "caa-not-aa": set(),
    "caa-servfail": set(),
    "case-lost": {"Q2"},
    "case-sensitive": {"Q2"},
    "compact-denial": {"Q5"},
    "compressed-rdata": {"Q1", "Q2", "Q3", "Q4", "Q7", "Q9", "S2", "S3"},
    "cookie": {"Q2"},
    "cookie-changed": {"Q2"},
    "cookie-client-only": {"Q2"},
    "cookie-echoed": {"Q2"},
    "cookie-enforced": {"Q2"},
    "cookie-refused": {"Q2"},
    "cookie-short": {"Q2"},
    "cut-rdata": set(),
    "dead": ALL,
    "denial-dropped": set(),
    "denies-all": {"S10", "S11"},
    "denies-invalid": {"S10"},
    "dmarc-above": set(),
    "dname": {"Q5"},
    "dname-bare": {"Q5"},
    "dnskey-dropped": {"Q4"},
    "do-cleared": WITH_DO,
    "dropped-proof": {"Q5"},
    "ds-digest-type": set(),
    "ds-referral": set(),
    "ds-refused": set(),
    "duplicate-soa": SOA_SHOWN,
    "edns-dropped": WITH_EDNS,
    "edns-ignored": WITH_EDNS,
    "edns-version-dropped": {"S1"},
    "edns-version-ignored": {"S1"},
    "ent-denied": set(),
    "ent-dropped": set(),
    "ent-servfail": set(),
    "equal-tags": {"Q4"},
    "expired-signatures": WITH_DO,
    "expiring-signatures": WITH_DO,
    "extra-signatures": WITH_DO,
    "flag-dropped": {"S3"},
    "flag-echoed": {"S3"},
    "flapping": set(),
    "foreign-data": {"Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9", "S1", "S2", "S20", "S3", "S7"},
    "foreign-denial": {"Q5", "Q6", "Q8"},
    "future-signatures": WITH_DO,
    "garbage": ALL,
    "hosts-refused": {"Q5", "Q9"},
    "hosts-servfail": {"Q5", "Q9"},
    "https-disordered": {"Q5", "Q6", "Q8"},
    "ixfr-open": set(),
    "keepalive": set(),
    "key-close-factors": {"Q4"},
    "key-exponent-1": {"Q4"},
    "key-exponent-3": {"Q4"},
    "key-large-exponent": {"Q4"},
    "key-off-curve": {"Q4"},
    "key-roca": {"Q4"},
    "key-small-factor": {"Q4"},
    "key-small-order": {"Q4"},
    "lame-refused": ANSWERS,
    "lame-servfail": ANSWERS,
    "lame-upward": ANSWERS,
    "large-allowed": set(),
    "large-lost": set(),
    "large-udp": ANSWERS - OVER_TCP,
    "long-denial": {"Q5", "Q6", "Q8"},
    "lossy": set(),
    "mail-added": set(),
    "mail-dropped": set(),
    "mail-not-aa": set(),
    "mail-servfail": set(),
    "malformed": ALL,
    "minimal-denial": {"Q5"},
    "more-keys": {"Q4"},
    "more-labels": WITH_DO,
    "negative-without-soa": {"Q5", "Q6", "Q8"},
    "no-apex-ns": {"Q3"},
    "no-cds": set(),
    "no-denial": {"Q5", "Q6", "Q8"},
    "no-dnskey": {"Q4"},
    "no-dnssec": WITH_DO,
    "no-edns": WITH_EDNS,
    "no-mail": {"Q5", "Q6", "Q8"},
    "no-nsec3param": set(),
    "no-nsid": WITH_EDNS,
    "no-sep": {"Q4"},
    "no-signatures": WITH_DO,
    "no-soa": {"Q1", "Q2", "Q7", "S2", "S3"},
    "no-tcp": OVER_TCP,
    "no-udp": ALL - OVER_TCP,
    "not-aa": ANSWERS,
    "ns-not-aa": {"Q3"},
    "ns-other-owner": {"Q3"},
    "ns-refused": {"Q3"},
    "ns-ttl": {"Q3"},
    "nsec3-algorithm": set(),
    "nsec3-flags": set(),
    "nsid-internal": WITH_EDNS,
    "nsid-private-address": WITH_EDNS,
    "nsid-unknown": {"Q2"},
    "opcode-answered": {"S7"},
    "opcode-dropped": {"S7"},
    "opt-gratuitous": ALL - WITH_EDNS,
    "option-dropped": {"S2"},
    "option-echoed": {"Q2", "S2"},
    "option-refused": {"S2"},
    "option-sent": WITH_EDNS,
    "orphan-signatures": {"Q3"},
    "other-address": {"Q3", "Q9"},
    "other-caa": set(),
    "other-denial": {"Q5", "Q6", "Q8"},
    "one-operator": set(),
    "other-keys": {"Q4"},
    "other-mail": set(),
    "other-mname": SOA_SHOWN,
    "other-ns-set": {"Q3"},
    "other-rname": SOA_SHOWN,
    "other-signer": WITH_DO,
    "other-source": set(),
    "other-timers": SOA_SHOWN,
    "plain-refused": {"Q1", "S7"},
    "ra-copied": set(),
    "ra-set": ALL,
    "raised-ttl": ANSWERS,
    "rd-lost": {"S10"},
    "rd-refused": set(),
    "recursive": ALL,
    "referral-aa": set(),
    "reports-inside": WITH_EDNS,
    "revoked-signer": WITH_DO,
    "servfail-sometimes": ALL,
    "services-unreadable": {"Q5", "Q6", "Q8"},
    "short-bitmap": {"Q5", "Q6", "Q8"},
    "short-ds": set(),
    "short-signature-ttl": WITH_DO,
    "new-algorithm-signatures": WITH_DO - {"Q4"},
    "denial-outside": {"Q5", "Q6", "Q8"},
    "short-signatures": WITH_DO,
    "slow": set(),
    "spf-null": set(),
    "spoilt-copies": WITH_DO,
    "stale-serial": SOA_SHOWN,
    "stray-key": {"Q4"},
    "tc-cleared": set(),
    "tc-dropped": set(),
    "tc-refused": set(),
    "tcp-empty": ANSWERS & OVER_TCP,
    "tcp-not-aa": ANSWERS & OVER_TCP,
    "tcp-one-answer": OVER_TCP - {"Q7"},
    "tcp-only": ALL - OVER_TCP,
    "tcp-other-soa": {"Q7"},
    "tcp-refused": ANSWERS & OVER_TCP,
    "tcp-silent": OVER_TCP,
    "tcp-without-edns": {"Q7"},
    "tls": set(),
    "tls-broken": set(),
    "tls-refused": set(),
    "tls-silent": set(),
    "truncated-without-opt": set(),
    "truncating": ALL - OVER_TCP,
    "tsig-ignored": set(),
    "ttl-uneven": {"Q3"},
    "two-questions": set(),
    "type-dropped": {"Q6"},
    "type-notimp": {"Q6"},
    "type-servfail": {"Q6"},
    "unmarked-denial": {"Q5"},
    "unsigned-type": {"Q3"},
    "upward-referral": {"S10", "S11"},
    "version-bind-shown": {"S17"},
    "version-class-in": {"S17"},
    "version-dropped": {"S17"},
    "version-servfail": {"S17"},
    "version-shown": {"S17"},
    "wide-denial": {"Q5", "Q6", "Q8"},
    "wildcard": {"Q5"},
    "wrong-bitmap": {"Q5", "Q6", "Q8"},
    "wrong-denial": {"Q5"},
    "wrong-id": ALL,
    "wrong-question": ALL - {"S11"},
    "wrong-signatures": WITH_DO,
    "wrong-type-signatures": {"Q3"},
    "zone-version": set(),
}
CHANGES_AT_PARENT = {
    "ds-of-last-too": {"P1", "P2"},
    "ds-of-zsk": {"P1", "P2"},
    "insecure": {"P1", "P2"},
    "many-ds": {"P1", "P2"},
    "alias-at-cut": {"P1", "P2"},
    "no-delegations": {"P1", "P2", "T5"},
    "other-glue": {"P1"},
    "no-ds": {"P1", "P2"},
    "other-delegation": {"P1"},
    "other-ds": {"P1", "P2"},
    "wrong-ds": {"P1", "P2"},
}

HEALTHY = dict(all_answers(build_world()))


def with_fault(fault: str, at: str = NS1, value: int | None = None, **changes: object) -> World:
    return build_world(changes, [Placement(fault, at, EXAMPLE, value)])


def test_every_fault_has_a_sentence_and_is_tested() -> None:
    assert set(CHANGES) | set(CHANGES_AT_PARENT) == set(FAULTS)
    for kind in FAULTS.values():
        assert kind().sentence.endswith(".")


@pytest.mark.parametrize("fault", sorted(CHANGES))
def test_a_fault_changes_what_it_says_and_nothing_else(fault: str) -> None:
    world = with_fault(fault)
    faulty = dict(all_answers(world))
    changed = {key for key, reply in faulty.items() if reply != HEALTHY[key]}
    where = world.addresses_of(Name.from_text(NS1))
    assert changed == {(probe, address) for probe in CHANGES[fault] for address in where}


@pytest.mark.parametrize("fault", sorted(CHANGES_AT_PARENT))
def test_a_fault_of_delegations_changes_the_parent_only(fault: str) -> None:
    faulty = dict(all_answers(with_fault(fault, "parent")))
    assert {key[0] for key, reply in faulty.items() if reply != HEALTHY[key]} == CHANGES_AT_PARENT[fault]


def test_a_fault_of_one_zone_leaves_the_other_zones_of_the_server_alone() -> None:
    world = with_fault("lame-refused", "ns1.other.test.")
    assert ask(world, "ns1.other.test.", query(ZONE, "SOA")).rcode() == dns.rcode.REFUSED
    assert ask(world, "ns1.other.test.", query("other.test.", "SOA")).answer


def test_places_of_faults() -> None:
    world = build_world()
    address = world.addresses_of(Name.from_text(NS1))[1]
    one = build_world({}, [Placement("dead", str(address))])
    assert one.respond(address, UDP, PROBES["Q1"][1]) == []
    assert one.respond(address_of(one, NS1), UDP, PROBES["Q1"][1]) != []
    everywhere = with_fault("dead", "all")
    assert all(reply == [] for (code, _), reply in all_answers(everywhere) if code in PROBES)
    with pytest.raises(InputError, match="no lab fault 'ded'"):
        with_fault("ded")
    with pytest.raises(InputError, match="no address"):
        with_fault("dead", "ns7.example.test.")
    with pytest.raises(InputError, match="takes no value"):
        with_fault("dead", value=3)


def flag(name: str) -> Callable[[dns.message.Message], bool]:
    return lambda message: bool(message.flags & dns.flags.from_text(name))


def has_type(name: str) -> Callable[[dns.message.Message], bool]:
    rtype = dns.rdatatype.from_text(name)
    return lambda m: any(rtype in (r.rdtype, r.covers) for s in (m.answer, m.authority) for r in s)


def rcode(name: str) -> Callable[[dns.message.Message], bool]:
    return lambda message: message.rcode() == dns.rcode.from_text(name)


def refers_to_root(message: dns.message.Message) -> bool:
    return [r.name for r in message.authority] == [dns.name.root] and not message.answer and not flag("AA")(message)


def soa_of(world: World, host: str) -> SimpleNamespace:
    (soa,) = ask(world, host, PROBES["Q1"][1]).answer[0]
    names = ("mname", "rname", "serial", "refresh", "retry", "expire", "minimum")
    return SimpleNamespace(**{name: getattr(soa, name) for name in names})


@pytest.mark.parametrize(
    ("fault", "probe", "holds"),
    [
        ("axfr-open", "S20", lambda m: len(m.answer) > 10 and m.answer[0].rdtype == dns.rdatatype.SOA),
        ("case-sensitive", "Q2", rcode("REFUSED")),
        ("edns-ignored", "Q2", lambda m: m.edns == -1 and m.answer and not has_type("RRSIG")(m)),
        ("edns-version-ignored", "S1", lambda m: rcode("NOERROR")(m) and m.edns == 0 and m.answer),
        ("flag-echoed", "S3", lambda m: m.ednsflags & 0x0040),
        ("lame-refused", "Q1", rcode("REFUSED")),
        ("lame-servfail", "Q1", rcode("SERVFAIL")),
        ("lame-upward", "Q1", refers_to_root),
        (
            "negative-without-soa",
            "Q5",
            lambda m: rcode("NXDOMAIN")(m) and not has_type("SOA")(m) and has_type("NSEC")(m),
        ),
        ("no-denial", "Q5", lambda m: rcode("NXDOMAIN")(m) and has_type("SOA")(m) and not has_type("NSEC")(m)),
        ("no-dnskey", "Q4", lambda m: rcode("NOERROR")(m) and not m.answer),
        ("no-dnssec", "Q4", lambda m: not m.answer and has_type("SOA")(m) and not has_type("NSEC")(m)),
        ("no-edns", "Q2", lambda m: rcode("FORMERR")(m) and m.edns == -1),
        ("no-signatures", "Q4", lambda m: has_type("DNSKEY")(m) and len(m.answer) == 1),
        ("no-soa", "Q1", lambda m: rcode("NOERROR")(m) and not m.answer and not m.authority),
        ("not-aa", "Q1", lambda m: m.answer and not flag("AA")(m)),
        ("opcode-answered", "S7", lambda m: rcode("NOERROR")(m)),
        ("option-echoed", "S2", lambda m: [int(o.otype) for o in m.options] == [65001]),
        ("option-refused", "S2", rcode("FORMERR")),
        ("other-ns-set", "Q3", lambda m: len(m.answer[0]) == 2),
        ("ra-set", "Q1", lambda m: flag("RA")(m) and m.answer),
        ("recursive", "S10", lambda m: flag("RA")(m) and rcode("NXDOMAIN")(m) and not flag("AA")(m)),
        ("truncating", "Q1", lambda m: flag("TC")(m) and not m.answer),
        ("type-notimp", "Q6", rcode("NOTIMP")),
        ("type-servfail", "Q6", rcode("SERVFAIL")),
        ("upward-referral", "S11", refers_to_root),
        ("version-shown", "S17", lambda m: "9.8.7" in str(m.answer[0][0]) and m.answer[0].rdclass == 3),
        ("version-class-in", "S17", lambda m: "9.8.7" in str(m.answer[0][0]) and m.answer[0].rdclass == 1),
        ("aa-lost", "Q6", lambda m: rcode("NOERROR")(m) and not flag("AA")(m)),
        ("do-cleared", "Q3", lambda m: m.edns == 0 and not m.ednsflags & dns.flags.DO),
        ("other-denial", "Q6", has_type("NSEC3")),
        ("other-keys", "Q4", lambda m: len(m.answer[0]) == 1),
        ("wildcard", "Q5", lambda m: rcode("NOERROR")(m) and has_type("A")(m)),
    ],
)
def test_what_a_fault_does(fault: str, probe: str, holds: Callable[[dns.message.Message], object]) -> None:
    transport, octets = PROBES[probe]
    message = ask(with_fault(fault), NS1, octets, transport)
    assert holds(message), message.to_text()


def test_what_faults_of_soa_values_do() -> None:
    good = soa_of(build_world(), NS1)
    assert soa_of(with_fault("stale-serial"), NS1).serial == good.serial - 1
    assert soa_of(with_fault("stale-serial", value=500), NS1).serial == good.serial - 500
    assert soa_of(with_fault("other-mname"), NS1).mname != good.mname
    assert soa_of(with_fault("other-rname"), NS1).rname != good.rname
    assert soa_of(with_fault("other-timers"), NS1).refresh == good.refresh // 2


def test_what_faults_of_octets_do() -> None:
    octets = PROBES["Q1"][1]
    address = address_of(build_world(), NS1)

    def reply(fault: str) -> bytes:
        answer = with_fault(fault).respond(address, UDP, octets)
        assert answer is not RESET
        return answer[0]

    assert reply("wrong-id")[:2] != octets[:2]
    assert reply("wrong-question")[12:] != octets[12:] and len(reply("wrong-question")) > 12
    assert len(reply("large-udp")) > 1400
    assert reply("duplicate-soa")[6:8] == b"\0\2"
    with pytest.raises(dns.exception.DNSException):
        dns.message.from_wire(reply("malformed"))
    with pytest.raises(dns.exception.DNSException):
        dns.message.from_wire(reply("garbage"))
    lost = ask(with_fault("case-lost"), NS1, PROBES["Q2"][1])
    assert lost.question[0].name.to_text() == ZONE


@pytest.mark.parametrize(
    ("fault", "value", "valid"),
    [
        ("expired-signatures", None, False),
        ("future-signatures", None, False),
        ("wrong-signatures", None, False),
        ("expiring-signatures", 6, True),
    ],
)
def test_what_faults_of_signatures_do(fault: str, value: int | None, valid: bool) -> None:
    world = with_fault(fault, value=value)
    for name in (NS1, "ns2.example.test."):
        answer = ask(world, name, query(ZONE, "DNSKEY")).answer
        keys = {answer[0].name: answer[0]}
        if name == NS1 and not valid:
            with pytest.raises(dns.dnssec.ValidationFailure):
                dns.dnssec.validate(answer[0], answer[1], keys, now=world.clock_s)
        else:
            dns.dnssec.validate(answer[0], answer[1], keys, now=world.clock_s)
    if fault == "expiring-signatures":
        answer = ask(world, NS1, query(ZONE, "DNSKEY")).answer
        assert answer[1][0].expiration == world.clock_s + 6 * 3600


def test_transport_faults() -> None:
    address = address_of(build_world(), NS1)
    assert with_fault("no-tcp").respond(address, TCP, PROBES["Q7"][1]) is RESET
    assert with_fault("tcp-silent").respond(address, TCP, PROBES["Q7"][1]) == []
    assert build_world().respond(address, Transport.DOT, PROBES["Q1"][1]) is Closed.REFUSED
    assert len(with_fault("tls").respond(address, Transport.DOT, PROBES["Q1"][1])) == 1
    assert with_fault("tls-broken").respond(address, Transport.DOT, PROBES["Q1"][1]) is Closed.NO_TLS
    assert with_fault("tls-silent").respond(address, Transport.DOT, PROBES["Q1"][1]) == []
    assert with_fault("slow", value=700).rtt_us(address) == build_world().rtt_us(address) + 700_000


def test_a_recursive_server_resolves_from_the_whole_world() -> None:
    world = with_fault("recursive")
    octets = query("ns2.other.test.", "A", edns=False, rd=True)
    message = ask(world, NS1, octets)
    assert message.answer and flag("RA")(message) and not flag("AA")(message)
    own = ask(world, NS1, query(ZONE, "SOA", edns=False, rd=True))
    assert own.answer and flag("AA")(own)
