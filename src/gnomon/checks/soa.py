"""SOA timers: how long secondaries keep a zone, and resolvers a "no"."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gnomon.base import Address
from gnomon.base.codes import SOA
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import RES, STA, check
from gnomon.checks.view import ZoneView
from gnomon.wire.rdata import Soa

_DAY_S = 86400


def _judge_each(view: ZoneView, code_of: Callable[[Soa], str]) -> Iterator[Outcome]:
    """One outcome for each code that the SOA records of the servers give; the first record of each is shown."""
    found: dict[str, Address] = {}
    for address, soa in view.soas().items():
        found.setdefault(code_of(soa), address)
    for code, address in sorted(found.items()):
        soa, answer = view.soas()[address], view.apex_answer(SOA, address)
        timers = {"refresh_s": soa.refresh_s, "retry_s": soa.retry_s, "expire_s": soa.expire_s}
        shown = (answer.exchange,) if answer else ()
        server = view.server_label(address) if len(found) > 1 else ""
        yield outcome(code, shown, subject=server, minimum_s=soa.minimum_s, **timers)
    if not found:
        yield unknown("no-soa", view.asked("Q1"))


@check(
    "soa.refresh",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "fine": "The REFRESH of {zone} is {refresh_s} s.",
        "very-low": "The REFRESH of {zone} is {refresh_s} s, under half an hour.",
        "low": "The REFRESH of {zone} is {refresh_s} s, under four hours.",
        "high": "The REFRESH of {zone} is {refresh_s} s, over a day.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def refresh(view: ZoneView) -> Iterator[Outcome]:
    """REFRESH is neither so low that it is a burden nor so high that a lost NOTIFY is noticed late.

    Why: it says how often secondaries look for a new version; NOTIFY only makes it faster.
    Rule: notice under 14400 s (for the root, top-level and critical zones under 1800 s); warning over 86400 s.
    Source: RFC 1912 section 2.2; RIPE-203.
    Do: set REFRESH to between four hours and a day, and use NOTIFY for speed.
    """
    yield from _judge_each(
        view, lambda soa: _bucket(soa.refresh_s, ((1800, "very-low"), (14400, "low"), (_DAY_S + 1, "fine")), "high")
    )


@check(
    "soa.retry-lt-refresh",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "lower": "The RETRY of {zone} ({retry_s} s) is lower than its REFRESH ({refresh_s} s).",
        "not-lower": "The RETRY of {zone} ({retry_s} s) is not lower than its REFRESH ({refresh_s} s).",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def retry_lt_refresh(view: ZoneView) -> Iterator[Outcome]:
    """RETRY is lower than REFRESH.

    Why: after a failed try a secondary should come back sooner than it would have come anyway.
    Rule: notice if RETRY is as large as REFRESH or larger.
    Source: RFC 1912 section 2.2.
    Do: set RETRY to a fraction of REFRESH.
    """
    yield from _judge_each(view, lambda soa: "lower" if soa.retry_s < soa.refresh_s else "not-lower")


@check(
    "soa.expire",
    properties=(RES,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "fine": "The EXPIRE of {zone} is {expire_s} s.",
        "too-low": "The EXPIRE of {zone} is {expire_s} s, under a week.",
        "below-refresh": "The EXPIRE of {zone} ({expire_s} s) is lower than REFRESH and RETRY together.",
        "low": "The EXPIRE of {zone} is {expire_s} s, under two weeks.",
        "high": "The EXPIRE of {zone} is {expire_s} s, over four weeks.",
        "too-high": "The EXPIRE of {zone} is {expire_s} s, over 90 days.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def expire(view: ZoneView) -> Iterator[Outcome]:
    """EXPIRE lets secondaries serve through an outage of the primary, and stop in the end.

    Why: when it runs out every secondary stops answering; too long, and forgotten servers give stale data.
    Rule: warning under 604800 s, under REFRESH + RETRY, or over 7776000 s; notice outside two to four weeks.
    Source: RFC 1912 section 2.2; RIPE-203.
    Do: set EXPIRE to two to four weeks.
    """

    def code_of(soa: Soa) -> str:
        if soa.expire_s < soa.refresh_s + soa.retry_s:
            return "below-refresh"
        steps = ((7 * _DAY_S, "too-low"), (14 * _DAY_S, "low"), (28 * _DAY_S + 1, "fine"), (90 * _DAY_S + 1, "high"))
        return _bucket(soa.expire_s, steps, "too-high")

    yield from _judge_each(view, code_of)


@check(
    "soa.minimum",
    properties=(STA, RES),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "fine": "The MINIMUM of {zone} is {minimum_s} s.",
        "low": "The MINIMUM of {zone} is {minimum_s} s, under five minutes.",
        "high": "The MINIMUM of {zone} is {minimum_s} s, over a day.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def minimum(view: ZoneView) -> Iterator[Outcome]:
    """MINIMUM, the lifetime of negative answers, is between five minutes and a day.

    Why: too low, and every mistyped name comes back to the servers; too high, and a new name stays unknown for long.
    Rule: notice under 300 s or over 86400 s.
    Source: RFC 2308 section 5; RIPE-203.
    Do: set MINIMUM to between five minutes and a day, an hour for most zones.
    """
    yield from _judge_each(view, lambda soa: _bucket(soa.minimum_s, ((300, "low"), (_DAY_S + 1, "fine")), "high"))


def _bucket(value: int, steps: tuple[tuple[int, str], ...], above: str) -> str:
    """The word of the first bound that `value` is below."""
    return next((word for bound, word in steps if value < bound), above)
