"""SOA record: one of it, and how long secondaries keep a zone, and resolvers a "no"."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime

from gnomon.base import Address
from gnomon.base.codes import NOERROR, SOA
from gnomon.base.once import once
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import IOP, RES, STA, check
from gnomon.checks.replies import UNHEARD, hear, none_proper, unheard
from gnomon.checks.view import ZoneView
from gnomon.wire.rdata import Soa

_DAY_S = 86400


def _judge_each(view: ZoneView, code_of: Callable[[Soa], str]) -> Iterator[Outcome]:
    """One outcome for each code that the SOA records of the servers give; the first record of each is shown."""
    found: dict[str, Address] = {}
    for soa, address in _different(view).items():
        found.setdefault(code_of(soa), address)
    for code, address in sorted(found.items()):
        soa, answer = view.soas()[address], view.apex_answer(SOA, address)
        timers = {"refresh_s": soa.refresh_s, "retry_s": soa.retry_s, "expire_s": soa.expire_s}
        shown = (answer.exchange,) if answer else ()
        server = view.server_label(address) if len(found) > 1 else ""
        yield outcome(code, shown, subject=server, minimum_s=soa.minimum_s, serial=soa.serial, **timers)
    if not found:
        yield unknown("no-soa", view.asked("Q1"))


@once
def _different(view: ZoneView) -> Mapping[Soa, Address]:
    """The different SOA records, each with the first address that gives it."""
    first: dict[Soa, Address] = {}
    for address, soa in view.soas().items():
        first.setdefault(soa, address)
    return first


@check(
    "soa.single",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "single": "Every server of {zone} that could be judged gives one SOA record ({count}).",
        "several": "{server} gives {count} SOA records for {zone}.",
        **UNHEARD,
    },
)
def single(view: ZoneView) -> Iterator[Outcome]:
    """A zone has one SOA record.

    Why: with several, each reader takes another one, and transfers and negative answers go wrong.
    Rule: error for each server that gives more than one SOA record of the zone.
    Source: RFC 1035 section 5.2; RFC 2181 section 6.1.
    Do: take the others out of the zone; look for a server that merges two sources.
    """
    heard = hear(view, "Q1", "Q2", "Q7")
    counts: dict[Address, int] = {}
    for answer in heard.answers:
        rrset = answer.message.rrset("answer", view.zone, SOA) if answer.message.rcode == NOERROR else None
        counts[answer.address] = max(counts.get(answer.address, 0), len(rrset.rdatas) if rrset else 0)
    faults = {address: count for address, count in counts.items() if count > 1}
    for address, count in faults.items():
        server, shown = view.server_label(address), [a.exchange for a in heard.answers if a.address == address]
        yield outcome("several", shown, subject=server, server=server, count=count)
    good = [address for address, count in counts.items() if count == 1]
    if good and not faults:
        yield outcome("single", heard.shown, count=len(good))
    yield from (unheard if good or faults else none_proper)(view, heard, "Q1")


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
    "soa.retry-min",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "fine": "The RETRY of {zone} is {retry_s} s.",
        "very-low": "The RETRY of {zone} is {retry_s} s, under a quarter of an hour.",
        "low": "The RETRY of {zone} is {retry_s} s, under an hour.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def retry_min(view: ZoneView) -> Iterator[Outcome]:
    """RETRY is not so low that secondaries hammer a primary in trouble.

    Why: every secondary asks again after that time for as long as the primary does not answer.
    Rule: notice under 3600 s (for the root, top-level and critical zones, which have the means, under 900 s).
    Source: RFC 1912 section 2.2; RIPE-203.
    Do: set RETRY to an hour or more.
    """
    yield from _judge_each(view, lambda soa: _bucket(soa.retry_s, ((900, "very-low"), (3600, "low")), "fine"))


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


@check(
    "soa.serial-format",
    properties=(STA,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "date": "The serial of {zone}, {serial}, is a date that has come.",
        "number": "The serial of {zone} is {serial}.",
        "future": "The serial of {zone}, {serial}, is a date in the future.",
        "zero": "The serial of {zone} is 0.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def serial_format(view: ZoneView) -> Iterator[Outcome]:
    """The serial is not 0, and if it is a date, that date has come.

    Why: a serial ahead of its date was mistyped or counted up too often, and the next proper date would go backwards.
    Rule: notice if the serial is 0, which some servers take for "none", or has the form YYYYMMDDnn with a date more
        than a day after the observation. Any other number is as good as a date.
    Source: RFC 1912 section 2.2; RFC 1982 section 3.1.
    Do: go on from the present serial, one up for each change, until the date has caught up.
    """
    today = datetime.fromtimestamp(view.observed_at, UTC).date()

    def code_of(soa: Soa) -> str:
        day = _date_of(soa.serial)
        if soa.serial == 0 or day is None:
            return "zero" if soa.serial == 0 else "number"
        return "future" if (day - today).days > 1 else "date"

    yield from _judge_each(view, code_of)


def _date_of(serial: int) -> date | None:
    """The date in a serial of the form YYYYMMDDnn from 1980 on; None if it is another number."""
    try:
        found = date(serial // 1_000_000, serial // 10_000 % 100, serial // 100 % 100)
    except ValueError:
        return None
    return found if found.year >= 1980 else None


def _bucket(value: int, steps: tuple[tuple[int, str], ...], above: str) -> str:
    """The word of the first bound that `value` is below."""
    return next((word for bound, word in steps if value < bound), above)
