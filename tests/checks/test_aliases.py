"""Where aliases lead, and what a CNAME made of a DNAME is."""

from __future__ import annotations

from collections.abc import Callable

import dns.message
import dns.rdatatype
import pytest

from crafted import altered, message, record
from gnomon.base import Name
from gnomon.base.codes import CNAME
from gnomon.checks.aliases import end_of_aliases, is_below, is_synthesised, substituted
from gnomon.checks.view import ZoneView
from gnomon.lab import Scenario
from gnomon.wire import Message
from worlds import view_of

N = Name.from_text


def answer(*records: str) -> Message:
    response = dns.message.make_response(dns.message.make_query("a.example.test.", "A"))
    response.answer += map(record, records)
    return Message(response.to_wire())


@pytest.mark.parametrize(
    ("records", "end"),
    [
        ([], "a.example.test."),
        (["b.example.test. 60 IN CNAME c.example.test."], "a.example.test."),
        (["a.example.test. 60 IN CNAME b.example.test.", "b.example.test. 60 IN A 192.0.2.1"], "b.example.test."),
        (["b.example.test. 60 IN CNAME c.test.", "a.example.test. 60 IN CNAME b.example.test."], "c.test."),
        (["a.example.test. 60 IN CNAME a.example.test."], "a.example.test."),
    ],
)
def test_the_end_of_aliases(records: list[str], end: str) -> None:
    assert end_of_aliases(answer(*records), N("a.example.test.")) == N(end)


def test_a_circle_ends() -> None:
    circle = answer("a.example.test. 60 IN CNAME b.example.test.", "b.example.test. 60 IN CNAME a.example.test.")
    assert end_of_aliases(circle, N("a.example.test.")) in (N("a.example.test."), N("b.example.test."))


@pytest.mark.parametrize(
    ("dname", "target", "made"),
    [
        ("example.test. 60 IN DNAME other.test.", "a.other.test.", True),
        ("example.test. 60 IN DNAME other.test.", "b.other.test.", False),
        ("test. 60 IN DNAME invalid.", "a.example.invalid.", True),
        ("a.example.test. 60 IN DNAME other.test.", "other.test.", False),
        ("b.example.test. 60 IN DNAME other.test.", "a.other.test.", False),
    ],
)
def test_a_synthesised_cname(dname: str, target: str, made: bool) -> None:
    message = answer(dname, f"a.example.test. 60 IN CNAME {target}")
    rrset = message.rrset("answer", N("a.example.test."), CNAME)
    assert rrset is not None
    assert is_synthesised(message, rrset) is made


def test_a_name_that_would_be_too_long_is_none() -> None:
    long = N(".".join(["a" * 60] * 3) + ".example.test.")
    assert substituted(long, N("example.test."), N(".".join(["b" * 60] * 2) + ".test.")) is None
    assert substituted(N("x.y.example.test."), N("example.test."), N("test.")) == N("x.y.test.")


def test_below() -> None:
    assert is_below(N("a.test."), N("test."))
    assert not is_below(N("test."), N("test."))


@pytest.fixture(scope="module")
def aliased(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    """A zone with a wildcard alias to one of its hosts."""
    world = {"records": ["*.example.test. 3600 IN CNAME mail.example.test."]}
    return view_of(Scenario("an alias", (), (), world, ()), tmp_path_factory.mktemp("aliased"))


def unsigned(rdtype: str) -> Callable[[dns.message.Message], object]:
    covered = dns.rdatatype.from_text(rdtype)

    def edit(m: dns.message.Message) -> None:
        m.answer[:] = [r for r in m.answer if r.covers != covered]

    return edit


@pytest.mark.parametrize(("rdtype", "status"), [("A", "secure"), ("CNAME", "bogus"), ("NONE", "secure")])
def test_what_an_alias_leads_to_may_be_of_an_unsigned_zone_below(aliased: ZoneView, rdtype: str, status: str) -> None:
    view = aliased if rdtype == "NONE" else altered(aliased, "Q5", message(unsigned(rdtype)))
    assert any(a.message.rrset("answer", a.qname, CNAME) for a in view.answers("Q5") if a.qname)
    assert view.chain().status == status
