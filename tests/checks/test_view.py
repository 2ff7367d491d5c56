"""The view on evidence that a lab does not give: losses, local trouble, damaged and hostile responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rrset
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnomon.base import Name, Transport
from gnomon.base.codes import DNSKEY, NS, SOA, A
from gnomon.checks.observed import by_message, unreadable_in
from gnomon.checks.profile import load_profile
from gnomon.checks.sent import sent, with_authority
from gnomon.checks.view import ZoneView, class_of
from gnomon.engine import Status
from gnomon.evidence import EvidenceRef, Exchange
from gnomon.judge import judge_zone
from gnomon.lab import Scenario
from worlds import view_of

ZONE = Name.from_text("example.test.")
V4, V6 = IPv4Address("28.7.7.53"), IPv6Address("2a10:5007::53")
SOA_TEXT = "ns1.example.test. hostmaster.example.test. 1 14400 3600 1209600 3600"


def exchange(
    ask: str,
    answer: str | bytes | None = None,
    *,
    address: str = "28.7.7.53",
    status: Status = Status.ANSWERED,
    attempt: int = 1,
    transport: Transport = Transport.UDP,
    qname: str = "example.test.",
    qtype: str = "SOA",
    flags: int = dns.flags.AA,
    subject: str = "zone example.test.",
    at_s: int = 1_793_491_200,
) -> Exchange:
    """One attempt. `answer`: records in presentation form, or the octets of the response."""
    query = dns.message.make_query(qname, qtype)
    response: bytes | None = answer if isinstance(answer, bytes) else None
    if isinstance(answer, str):
        message = dns.message.make_response(query)
        message.flags |= flags
        for line in filter(None, answer.splitlines()):
            owner, rtype, text = line.split(" ", 2)
            message.answer.append(dns.rrset.from_text(owner, 3600, "IN", rtype, text))
        response = message.to_wire()
    return Exchange(
        seq=at_s, subject=subject, ask=ask, server_name=Name.from_text("ns1.example.test."),
        address=ip_address(address), port=53, transport=transport, attempt=attempt, sent_at_ns=at_s * 10**9,
        rtt_us=None, local_port=0, status=status if answer is None or status else Status.ANSWERED, os_error=0,
        query=query.to_wire(), response=response, vantage="test", ref=EvidenceRef(f"{'ab' * 32}:{at_s % 1000}"),
    )  # fmt: skip


def view(*exchanges: Exchange) -> ZoneView:
    return ZoneView(ZONE, exchanges)


def codes(view: ZoneView, *only: str) -> set[str]:
    found = judge_zone(view, load_profile("default"), only or None)
    assert not [v.args for v in found if v.code == "internal-error"]
    return {v.code for v in found}


SOA_ANSWER = f"example.test. SOA {SOA_TEXT}"


class TestAcceptedAnswers:
    def test_the_last_answered_attempt_counts(self) -> None:
        lost = exchange("Q1", status=Status.TIMEOUT)
        got = exchange("Q1", SOA_ANSWER, attempt=2, at_s=1_793_491_203)
        answer = view(got, lost).answer("Q1", V4)
        assert answer is not None and answer.exchange is got
        assert view(got, lost).asked("Q1", V4) == (lost, got)

    def test_tcp_is_preferred_over_truncation(self) -> None:
        cut = exchange("Q4", "", flags=dns.flags.TC, qtype="DNSKEY")
        whole = exchange("Q4", SOA_ANSWER, attempt=2, transport=Transport.TCP, qtype="DNSKEY", at_s=1_793_491_203)
        answer = view(cut, whole).answer("Q4", V4)
        assert answer is not None and answer.exchange is whole

    def test_truncation_is_all_there_is(self) -> None:
        cut = exchange("Q4", "", flags=dns.flags.TC, qtype="DNSKEY")
        failed = exchange("Q4", status=Status.RESET, transport=Transport.TCP, qtype="DNSKEY", at_s=1_793_491_203)
        found = view(cut, failed)
        answer = found.answer("Q4", V4)
        assert answer is not None and answer.message.tc
        assert codes(found, "net.tc-fallback") == {"fails", "fails-everywhere"}

    def test_truncated_and_not_asked_again(self) -> None:
        cut = exchange("Q4", "", flags=dns.flags.TC, qtype="DNSKEY")
        assert codes(view(cut), "net.tc-fallback") == {"not-followed"}

    def test_equal_messages_stand_together(self) -> None:
        same = [exchange("Q1", SOA_ANSWER, address=f"28.7.7.{host}", at_s=1_793_491_200 + host) for host in (1, 3)]
        other = exchange("Q1", "", address="28.7.7.2")
        groups = by_message(view(other, *same).answers("Q1"))
        assert [[str(answer.address) for answer in of] for of in groups] == [["28.7.7.1", "28.7.7.3"], ["28.7.7.2"]]

    def test_questions_of_one_code_are_kept_apart(self) -> None:
        one = exchange("Q9", "ns1.example.test. A 28.7.7.53", qname="ns1.example.test.", qtype="A")
        two = exchange("Q9", "ns1.example.test. AAAA 2a10:5007::53", qname="ns1.example.test.", qtype="AAAA")
        found = view(one, two)
        name = Name.from_text("NS1.example.test.")
        assert len(found.answers("Q9")) == 2
        answer = found.answer("Q9", V4, name, 28)
        assert answer is not None and answer.exchange is two
        assert found.addresses_of(name).authoritative == (V4, V6)

    def test_mismatched_responses_do_not_count(self) -> None:
        forged = exchange("Q1", SOA_ANSWER, status=Status.MISMATCHED)
        assert view(forged).answer("Q1", V4) is None
        assert view(forged).message(forged) is None
        assert view(forged).service(V4).state == "silent"


def referral(address: str, owner: str = "example.test.", at_s: int = 10) -> Exchange:
    """P1 answered with a delegation of `owner`."""
    asked = exchange("P1", "", address=address, qtype="NS", flags=0, at_s=at_s)
    assert asked.response is not None
    message = dns.message.from_wire(asked.response)
    message.authority.append(dns.rrset.from_text(owner, 86400, "IN", "NS", "ns1.example.test.", "ns1.other.test."))
    return replace(asked, response=message.to_wire())


def denial(address: str, ask: str = "P1", soa_owner: str = "test.", rcode: int = 3, at_s: int = 10) -> Exchange:
    """The parent denies the name, or with rcode 0 the type."""
    asked = exchange(ask, "", address=address, qtype="NS" if ask == "P1" else "DS", at_s=at_s)
    assert asked.response is not None
    message = dns.message.from_wire(asked.response)
    message.set_rcode(dns.rcode.Rcode(rcode))
    message.authority.append(dns.rrset.from_text(soa_owner, 3600, "IN", "SOA", SOA_TEXT))
    return replace(asked, response=message.to_wire())


class TestParents:
    def test_some_parents_deny(self) -> None:
        found = view(referral("28.3.3.53"), denial("28.4.4.53"))
        assert codes(found, "del.zone-exists") == {"some-parents-deny"}

    def test_aliases(self) -> None:
        one = exchange("P1", "example.test. CNAME a.test.", address="28.3.3.53", qtype="NS")
        two = exchange("P1", "example.test. CNAME b.test.", address="28.4.4.53", qtype="NS")
        assert codes(view(one), "del.zone-exists") == {"alias"}
        assert codes(view(one, two), "del.zone-exists") == {"alias"}
        assert codes(view(one, two), "del.alias-instead-of-zone") >= {"targets-differ"}
        assert codes(view(one, referral("28.4.4.53")), "del.zone-exists") == {"some-parents-deny"}
        dname = exchange("P4", "example.test. DNAME b.test.", address="28.3.3.53", qtype="DNAME")
        found = view(denial("28.3.3.53", rcode=0), dname, referral("28.4.4.53"))
        assert codes(found, "del.zone-exists") == {"some-parents-deny"}
        assert "dname-at-some" in codes(found, "del.alias-instead-of-zone")

    def test_a_child_without_parent(self) -> None:
        found = view(denial("28.3.3.53"), exchange("Q1", SOA_ANSWER))
        assert codes(found, "del.zone-exists") == {"child-without-parent"}

    def test_different_parents(self) -> None:
        one, two = "28.3.3.53", "28.4.4.53"
        found = view(referral(one), denial(one, "P2", "test.", 0), referral(two, "b.test.", at_s=10))
        assert codes(found, "del.parent-determinable") == {"found"}  # a referral to somebody else shows nothing
        deep = Name.from_text("a.b.test.")
        asked = [replace(x, subject="zone a.b.test.") for x in (referral(one, "a.b.test."), denial(one, "P2", rcode=0))]
        between = replace(referral(two, "b.test."), subject="zone a.b.test.")
        assert codes(ZoneView(deep, [*asked, between]), "del.parent-determinable") == {"undetermined"}

    def test_servers_further_up_do_not_count_beside_those_of_the_zone_in_between(self) -> None:
        deep = Name.from_text("a.b.test.")
        above = Name.from_text("a.nic.test.")
        up = [replace(x, server_name=above) for x in (referral("28.3.3.53", "b.test."), denial("28.4.4.53"))]
        down = [referral("28.5.5.53", "a.b.test.", 20), denial("28.5.5.53", "P2", "b.test.", 0, 20)]
        found = ZoneView(deep, [replace(x, subject="zone a.b.test.") for x in (*up, *down)])
        assert [str(a.answer.address) for a in found.parent_answers()] == ["28.5.5.53"]
        assert str(found.parent_zone) == "b.test."
        assert codes(found, "del.zone-exists") == {"delegated"}

    def test_glue_outside_the_parent_is_not_believed(self) -> None:
        poisoned = referral("28.3.3.53")
        assert poisoned.response is not None
        message = dns.message.from_wire(poisoned.response)
        message.additional.append(dns.rrset.from_text("ns1.example.test.", 60, "IN", "A", "28.7.7.53"))
        message.additional.append(dns.rrset.from_text("ns1.other.test.", 60, "IN", "A", "28.5.5.53"))
        message.additional.append(dns.rrset.from_text("ns1.elsewhere.net.", 60, "IN", "A", "28.9.9.9"))
        message.authority[0].add(dns.rdata.from_text("IN", "NS", "ns1.elsewhere.net."), 86400)
        delegation = view(replace(poisoned, response=message.to_wire())).delegation()
        assert delegation is not None
        assert {str(name) for name in delegation.glue} == {"ns1.example.test.", "ns1.other.test."}
        assert [str(name) for name in delegation.ns_names] == [
            "ns1.elsewhere.net.", "ns1.example.test.", "ns1.other.test."
        ]  # fmt: skip


class TestHosts:
    def test_a_name_that_was_never_looked_for(self) -> None:
        assert codes(view(referral("28.3.3.53")), "del.ns-resolvable") == {"not-asked"}

    def test_an_alias_whose_target_was_not_found(self) -> None:
        shared = {"subject": "name ns1.other.test.", "qname": "ns1.other.test.", "qtype": "A"}
        alias = exchange("H1", "ns1.other.test. CNAME gone.test.", **shared)
        inside = exchange("Q9", "ns1.example.test. A 28.7.7.53", qname="ns1.example.test.", qtype="A")
        found = view(referral("28.3.3.53"), alias, inside)
        assert codes(found, "del.ns-resolvable") == {"alias"}
        assert codes(found, "del.ns-not-cname") == {"alias"}

    def test_an_alias_whose_target_was_found(self) -> None:
        shared = {"subject": "name ns1.other.test.", "qtype": "A"}
        alias = exchange("H1", "ns1.other.test. CNAME a.test.", qname="ns1.other.test.", **shared)
        target = exchange("H1", "a.test. A 28.9.9.53", qname="a.test.", address="28.3.3.53", **shared)
        host = view(alias, target).addresses_of(Name.from_text("ns1.other.test."))
        assert (host.resolution, str(host.alias), host.addresses) == ("alias", "a.test.", (IPv4Address("28.9.9.53"),))

    def test_a_step_on_the_way_is_no_answer(self) -> None:
        up = replace(referral("28.1.1.53", "test."), subject="name ns1.other.test.", ask="H1")
        lost = exchange("H1", status=Status.TIMEOUT, subject="name ns1.other.test.", address="28.3.3.53")
        assert view(up, lost).addresses_of(Name.from_text("ns1.other.test.")).resolution == "failed"

    def test_the_way_to_a_name_is_closed(self) -> None:
        lost = exchange("C0", status=Status.TIMEOUT, subject="cut other.test.", address="28.3.3.53")
        host = view(lost).addresses_of(Name.from_text("ns1.other.test."))
        assert (host.resolution, host.exchanges) == ("failed", (lost,))

    def test_other_rcodes_are_lame(self) -> None:
        asked = exchange("Q1", "", flags=0)
        assert asked.response is not None
        message = dns.message.from_wire(asked.response)
        message.set_rcode(dns.rcode.NOTIMP)
        found = view(referral("28.3.3.53"), replace(asked, response=message.to_wire()), exchange(
            "Q1", SOA_ANSWER, address="28.8.8.53"), exchange("Q9", "ns1.example.test. A 28.7.7.53\n"
            "ns1.example.test. A 28.8.8.53", address="28.8.8.53", qname="ns1.example.test.", qtype="A"))  # fmt: skip
        assert codes(found, "del.lame") == {"rcode", "too-few-left"}


class TestTime:
    def test_observed_at_is_when_the_zone_was_first_asked(self) -> None:
        shared = exchange("C2", subject="cut test.", status=Status.TIMEOUT, at_s=1_000)
        later, first = exchange("Q1", SOA_ANSWER, at_s=3_000), exchange("P1", status=Status.TIMEOUT, at_s=2_000)
        assert view(later, shared, first).observed_at == 2_000
        assert ZoneView(ZONE, ()).observed_at == 0


class TestReachability:
    def test_lossy(self) -> None:
        lost = [exchange("Q1", status=Status.TIMEOUT, attempt=n, at_s=n) for n in (1, 2)]
        got = exchange("Q1", SOA_ANSWER, attempt=3, at_s=3)
        assert codes(view(*lost, got), "net.udp") == {"lossy"}
        assert codes(view(lost[0], got), "net.udp") == {"answers"}

    @pytest.mark.parametrize("status", [Status.LOCAL_ERROR, Status.NOT_SENT_BREAKER, Status.NOT_SENT_OPTOUT])
    def test_what_could_not_be_sent_is_nobody_s_fault(self, status: Status) -> None:
        found = view(
            exchange("Q1", SOA_ANSWER),
            exchange("Q1", status=status, address=str(V6)),
            exchange("Q7", status=status, address=str(V6), transport=Transport.TCP),
        )
        assert codes(found, "net.v6-reachable") == {"no-v6-here"}
        assert codes(found, "net.udp") == {"answers", "not-sent"}
        assert found.service(V6).state == "unobserved"

    def test_nothing_at_all(self) -> None:
        found = judge_zone(ZoneView(ZONE, ()), load_profile("default"))
        assert not [v.args for v in found if v.code == "internal-error"]
        names_only = {"syn.zone-chars", "syn.zone-double-hyphen", "syn.zone-hyphen", "syn.zone-length"}
        assert {v.check_id for v in found if v.state == "observed"} == names_only


class TestDamagedData:
    def test_a_record_that_cannot_be_read_ends_the_message(self) -> None:
        good = exchange("Q1", SOA_ANSWER)
        assert good.response is not None
        found = view(replace(good, response=_cut_rdata(good.response, 16)))
        answer = found.answer("Q1", V4)
        assert answer is not None and answer.message.malformed is not None
        assert found.soas() == {}
        assert found.service(V4).state == "malformed"
        assert codes(found, "soa", "cons.soa-serial") == {"no-negative", "no-soa", "not-serving"}

    def test_an_address_that_cannot_be_read_is_left_out_and_visible(self) -> None:
        text = "ns1.example.test. A 28.7.7.53\nns1.example.test. A 28.7.7.54"
        whole = exchange("Q9", text, qname="ns1.example.test.", qtype="A")
        assert whole.response is not None
        found = view(replace(whole, response=_cut_rdata(whole.response, 1)))
        answer = found.answer("Q9", V4)
        assert answer is not None
        assert [record.rdata for record in unreadable_in(answer.message)] == [b"\x1c\x07\x07"]
        assert found.addresses_of(Name.from_text("ns1.example.test.")).authoritative == (V4,)

    def test_answers_without_authority_are_not_the_apex(self) -> None:
        found = view(exchange("Q1", SOA_ANSWER, flags=0), exchange("Q4", "", qtype="DNSKEY"))
        assert found.apex_rrset(SOA) == {} and found.apex_rrset(DNSKEY) == {}
        assert found.service(V4).state == "not-authoritative"

    def test_shortest_octets(self) -> None:
        for octets in (b"", b"\0", b"\0" * 11, b"\0" * 12, b"\xff" * 12, b"\xff" * 600):
            assert codes(view(*(exchange(ask, octets) for ask in ("P1", "P2", "Q1", "Q2", "Q3", "Q4", "Q9"))))


def _cut_rdata(response: bytes, octets: int) -> bytes:
    """The response with the last `octets` octets of its last record's data cut away."""
    for at in range(len(response) - 3, 12, -1):
        if int.from_bytes(response[at : at + 2], "big") == len(response) - at - 2:
            break
    return response[:at] + (len(response) - at - 2 - octets).to_bytes(2, "big") + response[at + 2 : -octets]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    return view_of(Scenario("healthy", (), (), {}, ()), tmp_path_factory.mktemp("healthy"))


Damage = Callable[[bytes], bytes]


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    kind = draw(st.sampled_from(["flip", "cut", "random", "counts", "flags"]))
    at, octet = draw(st.integers(0, 599)), draw(st.integers(0, 255))
    octets = draw(st.binary(max_size=80)) if kind == "random" else b""

    def damage(response: bytes) -> bytes:
        place = at % max(1, len(response))
        if kind == "flip":
            return response[:place] + bytes([octet]) + response[place + 1 :]
        if kind == "cut":
            return response[:place]
        if kind == "counts":
            return response[:4] + bytes([octet]) * 8 + response[12:]
        if kind == "flags":
            return response[:2] + bytes([octet, at % 256]) + response[4:]
        return octets

    return damage


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10**6), damages()), min_size=1, max_size=30))
def test_no_check_fails_on_damaged_responses(healthy: ZoneView, damage: list[tuple[int, Damage]]) -> None:
    exchanges = list(healthy.exchanges)
    for number, spoil in damage:
        at = number % len(exchanges)
        response = exchanges[at].response
        if response is not None:
            exchanges[at] = replace(exchanges[at], response=spoil(response))
    spoiled = ZoneView(ZONE, exchanges, root_anchors=healthy.root_anchors, routing=healthy.routing)
    found = judge_zone(spoiled, load_profile("default"))
    assert not [(v.check_id, v.args) for v in found if v.code == "internal-error"]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_order_of_exchanges_does_not_matter(healthy: ZoneView, data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(healthy.exchanges))
    again = ZoneView(ZONE, mixed, root_anchors=healthy.root_anchors, routing=healthy.routing)
    profile = load_profile("default")
    assert [v.row for v in judge_zone(again, profile)] == [v.row for v in judge_zone(healthy, profile)]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [(".", "R"), ("se.", "T"), ("arpa.", "A"), ("2.0.192.in-addr.ARPA.", "A"), ("example.se.", "S")],
)
def test_class_of_a_zone(zone: str, expected: str) -> None:
    assert class_of(Name.from_text(zone)) == expected


NS_ANSWER = "example.test. NS ns1.example.test."


class TestWhatWasSent:
    def test_records_are_there_once_with_their_first_answer(self) -> None:
        found = sent(
            view(
                exchange("S8", SOA_ANSWER, address="28.7.7.1", at_s=1),
                exchange("Q1", SOA_ANSWER, address="28.7.7.2", at_s=2),
                exchange("Q3", f"{SOA_ANSWER}\n{NS_ANSWER}", address="28.7.7.1", qtype="NS", at_s=3),
            )
        )
        assert [answer.exchange.ask for answer in found.answers] == ["Q3", "S8", "Q1"]
        assert sorted(int(record.rtype) for record in found.about_zone[0]) == [NS, SOA]
        assert [int(record.rtype) for record in found.about_server[0]] == [SOA]
        assert len(found.messages) == 2
        assert [answer.exchange.ask for answer in found.bearing({NS})] == ["Q3"]
        assert [answer.exchange.ask for answer in found.bearing({SOA})] == ["Q3", "S8"]
        assert found.bearing({A}) == []

    def test_what_has_authority_is_about_the_zone(self) -> None:
        one, two = exchange("Q1", SOA_ANSWER, at_s=1), exchange("Q2", "", at_s=2, flags=0)
        found = view(one, two, exchange("S8", SOA_ANSWER, at_s=3))
        assert [answer.exchange for answer in with_authority(found)] == [one]

    def test_nothing_was_sent(self) -> None:
        assert sent(view()).answers == () and sent(view()).messages == () and not any(sent(view()).sections)
