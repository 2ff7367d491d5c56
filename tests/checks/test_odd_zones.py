"""What is unusual and right, or wrong and easily missed: each a few changes to the evidence of the healthy world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import dns.flags
import dns.message
import dns.rrset
import pytest

from crafted import Change, altered, both, message, on, record, remade, silence
from gnomon.base import Name
from gnomon.checks.registry import all_checks
from gnomon.checks.view import ZoneView
from gnomon.engine import Status
from gnomon.evidence import Exchange
from gnomon.evidence.subject import name_subject
from gnomon.lab import Scenario
from worlds import view_of

HOST = "www.example.test. 60 IN CNAME host.other.test."
DEEP = Name.from_text("a.b.example.test.")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    return view_of(Scenario("healthy", (), (), {}, ()), tmp_path_factory.mktemp("healthy"))


def codes(check_id: str, view: ZoneView) -> set[str]:
    return {o.code for o in all_checks()[check_id].judge(view)}


def sections(answer: tuple[str, ...], authority: tuple[str, ...] = (), additional: tuple[str, ...] = ()) -> Change:
    """The NS answers of one server with these records in their sections instead."""

    def edit(m: dns.message.Message) -> None:
        m.answer[:], m.authority[:] = map(record, answer), map(record, authority)
        m.additional[:] = map(record, additional)

    return on("Q3", edit)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (sections((HOST,), ("other.test. 60 IN SOA ns1.other.test. a.test. 1 2 3 4 5",)), "clean"),
        (
            sections(
                (HOST,),
                (
                    "other.test. 60 IN SOA ns1.other.test. a.test. 1 2 3 4 5",
                    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.other.test. 1 IN NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
                ),
            ),
            "clean",
        ),
        (
            sections(("example.test. 60 IN HTTPS 0 svc.other.test.",), (), ("svc.other.test. 60 IN A 28.1.9.9",)),
            "clean",
        ),
        (sections((HOST, "host.other.test. 60 IN CNAME h.test.", "h.test. 60 IN A 28.1.9.9")), "clean"),
        (sections(("x.example.test. 60 IN CNAME x.d.test.", "d.test. 60 IN DNAME e.test.")), "clean"),
        (sections(("example.test. 60 IN NS ns1.example.test.",), ("test. 60 IN NS ns.evil.test.",)), "foreign"),
        (sections(("example.test. 60 IN NS ns1.other.test.",), (), ("other.test. 60 IN A 28.1.9.9",)), "foreign"),
        (sections((HOST,), ("other.test. 60 IN NS a.test.", "test. 60 IN NS ns.evil.test.")), "foreign"),
    ],
)
def test_records_from_outside(change: Change, code: str, healthy: ZoneView) -> None:
    assert codes("resp.no-foreign-data", change(healthy)) == {code}


def test_all_truncated_is_no_lack_of_authority(healthy: ZoneView) -> None:
    def truncated(m: dns.message.Message) -> None:
        m.flags |= dns.flags.TC

    assert codes("cons.ns-host-addresses", on("Q9", truncated, "")(healthy)) == {"no-answer"}


def everywhere(asks: str, edit: Callable[[dns.message.Message], object]) -> Change:
    return both(*(on(ask, edit) for ask in asks.split()))


def test_a_server_that_denies_the_zone_serves_nothing(healthy: ZoneView) -> None:
    def denied(m: dns.message.Message) -> None:
        m.set_rcode(3)
        m.answer.clear()
        m.authority[:] = [record("test. 60 IN SOA a.nic.test. a.test. 1 2 3 4 5")]

    view = everywhere("Q1 Q2 Q3 Q5 Q6 Q7 Q9 Z1T Z1C", denied)(healthy)
    assert codes("del.lame", view) >= {"rcode"}
    for check_id in ("net.udp-answer", "cons.apex-rrsets", "cons.negative-agree", "cons.ns-host-addresses"):
        assert codes(check_id, view) <= {"proper", "agree", "not-serving"}, check_id


def test_an_alias_at_the_apex_is_no_service(healthy: ZoneView) -> None:
    def alias(m: dns.message.Message) -> None:
        m.answer[:] = [record("example.test. 60 IN CNAME www.example.test.")]

    assert "fails" not in codes("edns.plain", everywhere("Q1 Q2 Q3 Q7", alias)(healthy))


def losing(view: ZoneView) -> ZoneView:
    """One server that answers three questions only when asked again."""
    lost = [x for x in view.exchanges if x.ask in ("Q4", "Q5", "Q6") and str(x.address) == "28.8.8.53"]
    first = [replace(x, response=None, status=Status.TIMEOUT, seq=x.seq - 1) for x in lost]
    return remade(view, [*first, *view.exchanges])


@pytest.mark.parametrize(
    ("check_id", "ask"),
    [
        ("app.caa-answerable", "Z1C"),
        ("edns.support", "Q2"),
        ("edns.version", "S4"),
        ("hdr.aaaa", "S25"),
        ("hdr.flags", "S8"),
        ("hdr.type-sweep", "Z1C"),
        ("mail.mx", "Z1M"),
    ],
)
def test_one_question_lost_among_others_says_nothing(check_id: str, ask: str, healthy: ZoneView) -> None:
    unanswered = altered(healthy, ask, silence, "28.8.8.53")
    assert codes(check_id, unanswered) & {"dropped", "all-dropped", "with-options"} or ask == "S4"
    assert not codes(check_id, losing(unanswered)) & {"dropped", "all-dropped", "with-options"}


def test_a_name_server_below_a_dname(healthy: ZoneView) -> None:
    def below(m: dns.message.Message) -> None:
        name = m.question[0].name
        m.answer[:] = [
            record("other.test. 60 IN DNAME else.test."),
            dns.rrset.from_text(name, 60, "IN", "CNAME", f"{name.labels[0].decode()}.else.test."),
            dns.rrset.from_text(f"{name.labels[0].decode()}.else.test.", 60, "IN", "A", "28.5.5.53"),
        ]

    subject = name_subject(Name.from_text("ns1.other.test."))
    view = altered(healthy, "H1", message(below), subject=subject)
    host = view.addresses_of(Name.from_text("ns1.other.test."))
    assert str(host.alias) == "ns1.else.test."
    assert [str(address) for address in host.authoritative][:1] == ["28.5.5.53"]


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("ns1.corp", "internal-name"),
        ("dns1.lan.", "internal-name"),
        ("ns1.home.example.net", "clean"),
        ("a.corp-x", "clean"),
    ],
)
def test_inner_names_end_in_a_private_domain(version: str, code: str, healthy: ZoneView) -> None:
    def tell(m: dns.message.Message) -> None:
        m.answer[:] = [record(f'version.bind. 0 CH TXT "{version}"')]
        m.set_rcode(0)

    assert codes("exp.stale-software-banner", on("S17", tell, "")(healthy)) == {code}


def asked_for(texts: dict[str, str], healthy: ZoneView) -> ZoneView:
    """A zone far below, and the DMARC records that were found; other names have none."""
    (example, *_) = (x for x in healthy.asked("Z1T") if x.response is not None)
    found: list[Exchange] = []
    for above in DEEP.ancestors()[:-1]:
        name = f"_dmarc.{above}"
        query = dns.message.make_query(name, "TXT")
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        if name in texts:
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{texts[name]}"'))
        else:
            response.authority.append(record(f"{above} 60 IN SOA ns1.other.test. a.test. 1 2 3 4 5"))
        subject = name_subject(Name.from_text(name))
        wires = {"query": query.to_wire(), "response": response.to_wire()}
        found.append(replace(example, subject=subject, ask="H5", **wires))
    return ZoneView(DEEP, found)


@pytest.mark.parametrize(
    ("texts", "code", "at"),
    [
        (
            {"_dmarc.b.example.test.": "p=none", "_dmarc.example.test.": "p=reject"},
            "strict-above",
            "_dmarc.example.test.",
        ),
        (
            {"_dmarc.b.example.test.": "p=none; psd=n", "_dmarc.example.test.": "p=reject"},
            "no-action",
            "_dmarc.b.example.test.",
        ),
        ({"_dmarc.example.test.": "p=reject", "_dmarc.test.": "p=none; psd=y"}, "strict-above", "_dmarc.example.test."),
        ({"_dmarc.b.example.test.": "p=reject", "_dmarc.test.": "p=none; psd=y"}, "no-action", "_dmarc.test."),
        ({"_dmarc.example.test.": "p=none; sp=reject; t=y"}, "strict-above", "_dmarc.example.test."),
        (
            {"_dmarc.a.b.example.test.": "p=reject", "_dmarc.example.test.": "p=none"},
            "strict",
            "_dmarc.a.b.example.test.",
        ),
        ({}, "none", None),
    ],
)
def test_the_policy_of_the_organisational_domain_counts(
    texts: dict[str, str], code: str, at: str | None, healthy: ZoneView
) -> None:
    view = asked_for({name: f"v=DMARC1; {text}" for name, text in texts.items()}, healthy)
    (found,) = all_checks()["mail.dmarc"].judge(view)
    assert (found.code, found.args.get("at")) == (code, at)
