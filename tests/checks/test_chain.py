"""The chain of trust: where it starts, how it ends, and what it says when evidence is missing or wrong."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from crafted import altered, message, record, remade, silence
from gnomon.base import ROOT, Name, RRType
from gnomon.base.codes import DNSKEY, DS
from gnomon.checks.chain import ChainStatus, prove
from gnomon.checks.inventory import SignedAnswer
from gnomon.checks.observed import Answer
from gnomon.checks.parent import Undelegated
from gnomon.checks.proofs import Proof
from gnomon.checks.validation import ExaminedRRset, Validator, keys_of
from gnomon.checks.view import ZoneView
from gnomon.lab import Placement, Scenario
from gnomon.wire import Message, RRset
from worlds import view_of

ZONE, TEST = Name.from_text("example.test."), Name.from_text("test.")
DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> ZoneView:
    return view_of(Scenario("healthy", (), (), {}, ()), tmp_path_factory.mktemp("healthy"))


def state(view: ZoneView) -> tuple[str, str]:
    chain = view.chain()
    return chain.status.value, chain.reason


def strip(*types: str):  # type: ignore[no-untyped-def]
    """Leave out the RRsets of these types with their signatures."""
    numbers = {dns.rdatatype.from_text(t) for t in types}

    def edit(m: dns.message.Message) -> None:
        for section in (m.answer, m.authority):
            section[:] = [r for r in section if not {r.rdtype, r.covers} & numbers]

    return message(edit)


def test_links_lead_from_the_root_to_the_zone(healthy: ZoneView) -> None:
    chain = healthy.chain()
    assert [(link.zone, link.rtype) for link in chain.links] == [
        (ROOT, DNSKEY), (TEST, DS), (TEST, DNSKEY), (ZONE, DS),
    ]  # fmt: skip
    assert all(link.status is ChainStatus.SECURE and link.exchanges for link in chain.links)
    assert set(chain.servers) == set(healthy.addresses)
    assert {server.status for server in chain.servers.values()} == {ChainStatus.SECURE}
    assert chain.broken_above is None


def test_the_anchor_decides(healthy: ZoneView) -> None:
    stranger = replace_anchor(healthy, digest=b"\1" * 32)
    assert state(stranger) == ("bogus", "ds-matches-no-key")
    assert stranger.chain().broken_above is not None
    assert state(ZoneView(ZONE, healthy.exchanges)) == ("indeterminate", "no-trust-anchor")
    unknown = replace_anchor(healthy, digest_type=5)
    assert state(unknown) == ("insecure", "unsupported")


def replace_anchor(view: ZoneView, **changes: object) -> ZoneView:
    anchors = [anchor._replace(**changes) for anchor in view.root_anchors]
    return ZoneView(view.zone, view.exchanges, root_anchors=anchors)


@pytest.mark.parametrize(
    ("ask", "subject", "reason"),
    [
        ("C2", "cut .", "no-dnskey-answer"),
        ("C1", "cut test.", "no-ds-answer"),
        ("C2", "cut test.", "no-dnskey-answer"),
    ],
)
def test_silence_above_is_indeterminate(healthy: ZoneView, ask: str, subject: str, reason: str) -> None:
    view = altered(healthy, ask, silence, subject=subject)
    assert state(view) == ("indeterminate", reason)
    broken = view.chain().broken_above
    assert broken is not None and broken.exchanges


def test_a_referral_helps_where_the_parent_gives_no_ds_answer(healthy: ZoneView) -> None:
    assert state(altered(healthy, "P2", silence)) == ("secure", "")
    nothing = altered(altered(healthy, "P2", silence), "P1", silence)
    assert nothing.chain().reason in ("no-ds-answer", "no-server")


def test_a_ds_that_vanishes_must_be_denied(healthy: ZoneView) -> None:
    """A secure parent without DS and without proof: the missing data should be there (RFC 4035 section 4.3)."""
    bare = altered(healthy, "P2", strip("DS"))
    assert state(bare) == ("bogus", "denial-missing")
    unsigned = altered(healthy, "P2", strip("RRSIG"))
    assert state(unsigned) == ("bogus", "ds-missing")


def test_a_proof_for_another_name_does_not_help(healthy: ZoneView) -> None:
    """The NSEC of the parent's apex is validly signed, but denies nothing at the child."""

    def edit(m: dns.message.Message) -> None:
        m.answer.clear()
        m.authority.append(record("test. 3600 IN NSEC zzz.test. NS SOA RRSIG NSEC DNSKEY"))

    assert state(altered(healthy, "P2", message(edit)))[0] == "bogus"


def test_a_cut_that_was_not_walked(healthy: ZoneView) -> None:
    """The signer of the DS lies between the last known zone and the child: nobody knows its keys."""
    view = remade(healthy, (x for x in healthy.exchanges if x.subject != "cut test."))
    assert state(view) == ("indeterminate", "ds-wrong-signer")


def test_all_parent_servers_count(healthy: ZoneView) -> None:
    first = next(x.address for x in healthy.exchanges if x.ask == "P2")
    assert state(altered(healthy, "P2", strip("DS"), at=str(first))) == ("secure", "")


def test_replay_at_another_time(healthy: ZoneView) -> None:
    """The moment of judging is in the evidence: moved by 30 days, everything has expired, wherever it is judged."""
    later = remade(healthy, (replace(x, sent_at_ns=x.sent_at_ns + 30 * DAY_NS) for x in healthy.exchanges))
    assert state(later) == ("bogus", "dnskey-expired")
    broken = later.chain().broken_above
    assert broken is not None and broken.zone == ROOT
    assert "2026-11-21T00:00:00Z" in broken.detail


def test_given_ds(healthy: ZoneView) -> None:
    servers = {server.name: (server.address,) for server in healthy.servers}
    ds = healthy.ds()
    assert ds is not None

    def given(*rdatas: bytes) -> ZoneView:
        undelegated = Undelegated(tuple(servers), servers, rdatas)
        return ZoneView(ZONE, healthy.exchanges, root_anchors=healthy.root_anchors, undelegated=undelegated)

    assert state(given(*ds.rdatas)) == ("secure", "")
    assert state(given(ds.rdatas[0][:-1] + b"\0")) == ("bogus", "ds-matches-no-key")
    assert state(given()) == ("insecure", "given-without-ds")
    assert state(given(ds.rdatas[0][:3] + b"\5" + ds.rdatas[0][4:])) == ("insecure", "unsupported")
    assert state(given(b"\0")) == ("insecure", "unsupported")


def test_sha1_is_ignored_beside_sha256(healthy: ZoneView) -> None:
    """RFC 4509 section 3: a good SHA-1 digest does not rescue a wrong SHA-256 one."""
    keys = healthy.keys()
    ksk = next(key for key in keys if key.dnskey.is_sep)
    digest = dns_digest(ksk.rdata, 1)
    fixed = ksk.dnskey.key_tag.to_bytes(2, "big") + bytes([ksk.dnskey.algorithm])
    servers = {server.name: (server.address,) for server in healthy.servers}

    def given(*rdatas: bytes) -> ZoneView:
        undelegated = Undelegated(tuple(servers), servers, rdatas)
        return ZoneView(ZONE, healthy.exchanges, undelegated=undelegated)

    assert state(given(fixed + b"\1" + digest)) == ("secure", "")
    assert state(given(fixed + b"\1" + digest, fixed + b"\2" + b"\0" * 32)) == ("bogus", "ds-matches-no-key")


def dns_digest(key: bytes, digest_type: int) -> bytes:
    from gnomon.wire import dnssec

    return dnssec.ds_digest(ZONE, key, digest_type) or b""


@pytest.mark.parametrize(
    ("zone", "reason"), [(ZONE, "soa-revoked-key"), (TEST, "ds-no-key"), (ROOT, "ds-no-key")], ids=str
)
def test_a_revoked_key_vouches_for_no_data(zone: Name, reason: str, tmp_path: Path) -> None:
    """RFC 5011 section 2.1: it is for no purpose but its own signature over the DNSKEY RRset."""
    placed = (Placement("revoked-signer", "all", zone),)
    chain = view_of(Scenario("revoked", (), (), {}, placed), tmp_path).chain()
    assert (chain.status, chain.reason) == (ChainStatus.BOGUS, reason)
    assert "revoked" in chain.detail or zone != ZONE


def test_a_revoked_key_beside_others_does_no_harm(tmp_path: Path) -> None:
    changes = {"extra_keys": [{"revoked": True, "flags": 257, "signs": "keys"}]}
    assert state(view_of(Scenario("revoked", (), (), changes, ()), tmp_path)) == ("secure", "")


def test_a_server_is_judged_by_all_its_answers(healthy: ZoneView) -> None:
    for ask, types, reason in (
        ("Q2", ("RRSIG",), "soa-missing"),
        ("Q3", ("RRSIG",), "ns-missing"),
        ("Q5", ("NSEC",), "denial-missing"),
        ("Q6", ("NSEC",), "denial-missing"),
    ):
        view = altered(healthy, ask, strip(*types), at="28.8.8.53")
        server = view.chain().servers[ip_address("28.8.8.53")]
        assert (server.status.value, server.reason) == ("bogus", reason)
        assert [x.ask for x in server.exchanges] == [ask]
        assert view.chain().status is ChainStatus.SECURE


def test_without_authority_nothing_is_said(healthy: ZoneView) -> None:
    def edit(m: dns.message.Message) -> None:
        m.flags &= ~dns.flags.AA

    view = altered(altered(healthy, "Q1", message(edit)), "Q4", message(edit))
    assert view.chain().status is ChainStatus.INDETERMINATE


def test_the_budget_is_for_the_whole_zone(healthy: ZoneView, monkeypatch: pytest.MonkeyPatch) -> None:
    from gnomon.checks import chain, validation

    monkeypatch.setattr(chain, "Validator", lambda now_s: validation.Validator(now_s, verifications=3))
    built = chain.build(remade(healthy, healthy.exchanges))
    assert built.status is ChainStatus.INDETERMINATE
    assert built.broken_above is not None and "(budget)" in built.detail


class TestWildcards:
    """Answers made from a wildcard, signed here: the lab has none."""

    zone, key_name = Name.from_text("example.test."), dns.name.from_text("example.test.")

    @pytest.fixture
    def signer(self) -> tuple[ec.EllipticCurvePrivateKey, dns.rdata.Rdata]:
        private = ec.generate_private_key(ec.SECP256R1())
        return private, dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)

    def examined(self, signer: tuple[Any, Any], text: str, owner: str) -> ExaminedRRset:
        """The RRset of `text`, signed, and then moved to `owner` as an expansion of a wildcard is."""
        private, dnskey = signer
        rrset = record(text)
        rrsig = dns.dnssec.sign(rrset, private, self.key_name, dnskey, inception=1000, expiration=3000)
        rdatas = tuple(rdata.to_wire() for rdata in rrset)
        moved = RRset(Name.from_text(owner), RRType(rrset.rdtype), 1, rrset.ttl, rdatas, (rrsig.to_wire(),))
        return Validator(2000).examine(moved, self.zone, keys_of((dnskey.to_wire(),)))

    def proof(self, view: ZoneView, positive: list[ExaminedRRset], negative: list[ExaminedRRset]) -> Proof:
        response = dns.message.make_response(dns.message.make_query("www.example.test.", "A"))
        response.answer.append(record("www.example.test. 60 IN A 192.0.2.1"))
        answer = Answer(view.asked("Q5")[0], Message(response.to_wire()))
        return prove(
            self.zone,
            SignedAnswer("Q5", answer, tuple(positive), tuple(negative), (*positive, *negative), (), answer.qname),
        )

    def test_expansion_needs_a_proof(self, healthy: ZoneView, signer: tuple[Any, Any]) -> None:
        plain = self.examined(signer, "www.example.test. 60 IN A 192.0.2.1", "www.example.test.")
        wild = self.examined(signer, "*.example.test. 60 IN A 192.0.2.1", "www.example.test.")
        assert (plain.failure, plain.expanded_from) == ("", None)
        assert (wild.failure, wild.expanded_from) == ("", 2)
        fits = self.examined(signer, "*.example.test. 60 IN NSEC zzz.example.test. A", "*.example.test.")
        elsewhere = self.examined(signer, "x.example.test. 60 IN NSEC zzz.example.test. A", "x.example.test.")
        assert fits.expanded_from is None
        assert self.proof(healthy, [wild], []) is Proof.MISSING
        assert self.proof(healthy, [wild], [fits]) is Proof.PROVEN
        assert self.proof(healthy, [wild], [elsewhere]) is Proof.FAILS

    def test_a_denial_made_from_a_wildcard_denies_nothing(self, healthy: ZoneView, signer: tuple[Any, Any]) -> None:
        wild = self.examined(signer, "*.example.test. 60 IN A 192.0.2.1", "www.example.test.")
        moved = self.examined(signer, "*.example.test. 60 IN NSEC zzz.example.test. A", "vvv.example.test.")
        assert (moved.failure, moved.expanded_from) == ("", 2)
        assert self.proof(healthy, [wild], [moved]) is Proof.MISSING
