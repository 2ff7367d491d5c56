"""The times of RRSIG records apart from their end: when they begin, and what little is left at either edge."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.checks.each import NONE_SEEN, Flaw, Held, judge_each_rrset
from gnomon.checks.inventory import SIGNED_ASKS
from gnomon.checks.outcome import Outcome
from gnomon.checks.registry import REL, RES, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED
from gnomon.checks.unjudged import unjudged
from gnomon.checks.validation import ExaminedSignature, SignatureState, iso, moment_s
from gnomon.checks.view import ZoneView

_CODES = {**NONE_SEEN, **UNSIGNED, **UNHEARD_EDNS}

_CLOCKS_APART_S = 3600
_SKEW_S = 300


def _begins_s(one: ExaminedSignature, now_s: int) -> int:
    return moment_s(one.fields.inception, now_s) if one.fields is not None else now_s


def _ends_s(one: ExaminedSignature, now_s: int) -> int:
    return moment_s(one.fields.expiration, now_s) if one.fields is not None else now_s


@check(
    "sig.inception",
    properties=(REL,),
    asked=SIGNED_ASKS,
    codes={
        "past": "Every signature of {zone} began more than an hour ago.",
        "recent": "The {rrsets:signature|signatures} of {key} over {rrsets} began at {at}, less than an hour ago "
        "({servers}).",
        "future": "The signatures over {rrsets} begin only at {at} at {servers}.",
        "one-future": "{rrsets} {rrsets:carries|carry} a signature that begins only at {at} at {servers}, beside a "
        "valid one.",
        **_CODES,
    },
)
def inception(view: ZoneView) -> Iterator[Outcome]:
    """Signatures begin well before they are published.

    Why: a validator whose clock is behind sees a signature of the future, and rejects the data.
    Rule: error for a record set whose only usable signatures begin in the future, warning for such a signature beside
        a valid one; notice for a valid one that began less than an hour ago and has no older one beside it, as
        validators' clocks differ by that much (Unbound allows for an hour at least).
    Source: RFC 4035 section 5.3.1; RFC 6781 section 4.4.2; the hour is Gnomon's proposal.
    Do: set the inception an hour or more before the time of signing, and check the signer's clock.
    """
    now_s = view.chain().now_s

    def flaws(one: Held) -> Iterator[Flaw]:
        future = [s for s in one.examined.signatures if s.state is SignatureState.NOT_YET_VALID]
        if future and one.examined.failure in ("", SignatureState.NOT_YET_VALID.value):
            at = iso(min(_begins_s(s, now_s) for s in future))
            yield "future" if one.examined.failure else "one-future", {"at": at}
        oldest = min(one.examined.valid, key=lambda s: _begins_s(s, now_s), default=None)
        if oldest is not None and now_s - _begins_s(oldest, now_s) < _CLOCKS_APART_S:
            yield "recent", {"at": iso(_begins_s(oldest, now_s)), "key": oldest.label}

    yield from judge_each_rrset(view, flaws, "past")


@check(
    "sig.skew-margin",
    properties=(REL,),
    asked=SIGNED_ASKS,
    codes={
        "clear": "No signature of {zone} is within five minutes of its beginning or its end.",
        "near-inception": "The {rrsets:signature|signatures} of {key} over {rrsets} began at {at}, just now "
        "({servers}).",
        "near-expiration": "The {rrsets:signature|signatures} of {key} over {rrsets} {rrsets:ends|end} at {at}, within "
        "minutes ({servers}).",
        **_CODES,
    },
)
def skew_margin(view: ZoneView) -> Iterator[Outcome]:
    """No signature is within minutes of its beginning or its end.

    Why: whether it is valid then depends on the validator's clock.
    Rule: warning for a valid signature that began or ends within 300 seconds.
    Source: RFC 4035 section 5.3.1; the 300 seconds are DNSViz's.
    Do: renew signatures days before they end, and begin them an hour before they are published.
    """
    now_s = view.chain().now_s

    def flaws(one: Held) -> Iterator[Flaw]:
        for signature in one.examined.valid:
            begins_s, ends_s = _begins_s(signature, now_s), _ends_s(signature, now_s)
            if now_s - begins_s < _SKEW_S:
                yield "near-inception", {"key": signature.label, "at": iso(begins_s)}
            if ends_s - now_s < _SKEW_S:
                yield "near-expiration", {"key": signature.label, "at": iso(ends_s)}

    yield from judge_each_rrset(view, flaws, "clear")


@check(
    "sig.ttl-outlives",
    properties=(REL,),
    asked=SIGNED_ASKS,
    codes={
        "within": "No record set of {zone} can outlive its signature in a cache.",
        "outlives": "{rrsets} {rrsets:has|have} a TTL of {ttl_s} s at {servers}, but the last signature ends at {at}, "
        "before that.",
        **_CODES,
    },
)
def ttl_outlives(view: ZoneView) -> Iterator[Outcome]:
    """The TTL of a record set ends before its last signature does.

    Why: caches that do not validate themselves hand out data that their clients' validators must reject.
    Rule: warning if the time of the answer and the TTL together are later than the end of the last valid signature.
        A validator caps the TTL, so it is not hit itself.
    Source: RFC 4035 section 5.3.3; RFC 6781 section 4.4.2.
    Do: renew signatures earlier, at least one TTL before they end.
    """
    now_s = view.chain().now_s

    def flaws(one: Held) -> Iterator[Flaw]:
        ends_s = max((_ends_s(s, now_s) for s in one.examined.valid), default=None)
        if ends_s is not None and now_s + one.examined.rrset.ttl_s > ends_s:
            yield "outlives", {"ttl_s": one.examined.rrset.ttl_s, "at": iso(ends_s)}

    yield from judge_each_rrset(view, flaws, "within")


@unjudged("sig.expiry-cliff", properties=(RES,), needs="whole-zone")
def expiry_cliff() -> None:
    """The signatures of a zone do not all end in the same hour.

    Why: where they do, one missed run of the signer takes the whole zone down at once.
    Rule: notice if more than 95 % of the signatures of a zone expire within one hour.
    Source: RFC 6781 section 4.4.2; the numbers are Gnomon's proposal.
    Do: let the signer spread the ends of signatures (jitter).
    """


@unjudged("sig.resign-cadence", properties=(REL,), needs="history")
def resign_cadence() -> None:
    """The signer renews signatures as regularly as it used to.

    Why: a signer that has stopped shows days before the first signature expires.
    Rule: warning if the signer has not renewed within twice its own median interval while less than half of the
        validity is left.
    Source: none; a proposal of this project.
    Do: look at the signer and its log now.
    """
