"""Keys of the same tag, and keys that sign where they are missing: whose signature it is, is not told by the tag."""

from __future__ import annotations

from pathlib import Path

import dns.message

from crafted import NS2, altered, message
from gnomon.base import Name, RRType
from gnomon.base.codes import DNSKEY
from gnomon.checks.entry import _entries
from gnomon.checks.registry import all_checks
from gnomon.checks.signed import Key
from gnomon.checks.validation import ExaminedRRset, ExaminedSignature, SignatureState, keys_of, label_of
from gnomon.checks.view import ZoneView
from gnomon.lab import Placement, Scenario
from gnomon.wire import RRset, rdata
from worlds import view_of

ZONE = Name.from_text("example.test.")


def test_a_signature_by_a_key_of_the_same_tag_is_not_the_entry_keys() -> None:
    one = b"\1\1\3\x0d" + bytes(range(64))
    other = one[:4] + one[6:] + one[4:6]  # the tag is a sum over pairs of octets (RFC 4034 appendix B)
    entry, stranger = keys_of((one, other))
    assert entry.dnskey.key_tag == stranger.dnskey.key_tag

    def examined(signer: Key) -> ExaminedRRset:
        head = DNSKEY.to_bytes(2, "big") + bytes([13, 2]) + bytes(12) + signer.dnskey.key_tag.to_bytes(2, "big")
        fields = rdata.rrsig(head + ZONE.wire + bytes(64))
        rrset = RRset(ZONE, RRType(DNSKEY), 1, 60, (one, other))
        return ExaminedRRset.of(rrset, (ExaminedSignature(SignatureState.VALID, fields, signer),))

    by_stranger = _entries(examined(stranger), (entry,))
    assert (by_stranger.tried, by_stranger.valid, by_stranger.is_signed) == (frozenset(), frozenset(), True)
    assert len(_entries(examined(entry), (entry,)).valid) == 1


def test_a_key_that_signs_only_where_it_is_missing(tmp_path: Path) -> None:
    world = {"extra_keys": [{"flags": 257, "signs": "keys"}, {"signs": "data"}], "ds": "each-ksk"}
    last_half = Placement("one-operator", "ns2.example.test.", ZONE, 2)
    others = [Placement("one-operator", at, ZONE) for at in ("ns1.example.test.", "ns1.other.test.")]
    view = view_of(Scenario("two operators", (), (), world, (last_half, *others)), tmp_path)
    signer = view.keys()
    (zsk,) = {s.key for s in _soa_signatures(view, NS2) if s.key is not None}
    assert zsk in signer

    def without_signer(m: dns.message.Message) -> None:
        keys = next(r for r in m.answer if r.rdtype == DNSKEY)
        keys.remove(next(r for r in keys if r.to_wire() == zsk.rdata))

    for at in (NS2, "2a10:5008::53"):
        view = altered(view, "Q4", message(without_signer), at)
    found = {o.code for o in all_checks()["key.on-all-servers"].judge(view)}
    assert "signer-missing" in found
    (idle,) = [o.args["keys"] for o in all_checks()["key.unused"].judge(view) if o.code == "idle"]
    assert isinstance(idle, tuple) and label_of(zsk) not in idle


def _soa_signatures(view: ZoneView, at: str) -> tuple[ExaminedSignature, ...]:
    signed = next(s for (ask, address), s in view.chain().inventory.items() if ask == "Q2" and str(address) == at)
    return signed.positive[0].signatures
