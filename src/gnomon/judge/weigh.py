"""From the outcomes of one zone to their levels: class of the zone, cause and echo, masking, persistence.

These are the rules 2 to 5 by which a level follows from more than its outcome; what they look at is data in the
profile. Each leaves a note, so that a verdict explains its level.

- **Class**: the profile has another level for zones of this class.
- **Echo**: an outcome that follows from another one about the same servers (or, where neither names any, about the
  zone) is unknown and names its cause: one fault gives one finding.
- **Masking**: an error or warning at some servers is a level lower where, of each IP version that the zone has,
  two healthy addresses in two ASes remain. Without a routing table that cannot be known, and nothing is lowered.
- **Persistence**: one look shows that something is missing, not that it stays so. How often and over what time it
  was looked for is told; whether the level waits for more is the profile's choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gnomon.base import Address, Level
from gnomon.checks.levels import Profile
from gnomon.checks.outcome import Outcome, State
from gnomon.checks.registry import Check
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.judge.verdict import Note

_HEALTHY = 2
_LOWER = {Level.ERROR: Level.WARNING, Level.WARNING: Level.NOTICE}


@dataclass(slots=True)
class Weighed:
    """One outcome with its level so far and what that comes from."""

    check: Check
    outcome: Outcome
    level: Level
    notes: list[Note] = field(default_factory=list)

    @property
    def code(self) -> str:
        return f"{self.check.id}/{self.outcome.code}"

    @property
    def state(self) -> State:
        """What could not be judged on its own in the end is unknown."""
        return State.UNKNOWN if self.notes and self.level is Level.UNKNOWN else self.outcome.state

    @property
    def about(self) -> frozenset[str]:
        """The servers, or else the key or name, that the outcome is about; empty for the zone as a whole."""
        outcome = self.outcome
        named = outcome.args.get("servers") or outcome.args.get("server")
        found = (outcome.subject,) if outcome.subject else named if isinstance(named, tuple) else (named,)
        return frozenset(str(one) for one in found if one)


def weigh(view: ZoneView, profile: Profile, found: Sequence[Weighed]) -> None:
    """Settle the levels of all outcomes of a zone."""
    bad = [one for one in found if one.level >= Level.NOTICE]
    if not bad:
        return
    for one in bad:
        _of_class(view, profile, one)
    for one, cause in [(one, _cause(profile, one, bad)) for one in bad]:
        if cause is not None:
            one.notes.append(Note("echo", {"level": one.level.word, "cause": cause.code}))
            one.level = Level.UNKNOWN
    for one in bad:
        if one.code in profile.masked and one.level in _LOWER:
            _mask(view, one, bad)
    for one in bad:
        if one.code in profile.persistence.codes and one.level >= Level.NOTICE:
            _persist(view, profile, one)


def _of_class(view: ZoneView, profile: Profile, one: Weighed) -> None:
    otherwise = profile.levels[one.code]
    if one.level is not otherwise:
        facts = {"zone_class": view.zone_class, "level": one.level.word, "otherwise": otherwise.word}
        one.notes.append(Note("class", facts))


def _cause(profile: Profile, one: Weighed, bad: Sequence[Weighed]) -> Weighed | None:
    """The first outcome that this one is declared to follow from, about all that this one is about."""
    causes = profile.causes.get(one.code)
    if not causes:
        return None
    for code in causes:
        of_code = [other for other in bad if other.code == code]
        about = {name for other in of_code for name in other.about}
        if of_code and (one.about <= about if one.about else not about):
            return of_code[0]
    return None


def _mask(view: ZoneView, one: Weighed, bad: Sequence[Weighed]) -> None:
    labels = {view.server_label(address): address for address in view.addresses}
    faulty = {name for other in bad if other.check is one.check for name in other.about}
    if not one.about or not faulty <= labels.keys():
        return
    well = [a for label, a in labels.items() if label not in faulty and view.service(a).state == "ok"]
    if all(_enough(view, [a for a in well if a.version == v]) for v in {a.version for a in view.addresses}):
        one.notes.append(Note("masked", {"level": one.level.word, "healthy": len(well)}))
        one.level = _LOWER[one.level]


def _enough(view: ZoneView, well: Sequence[Address]) -> bool:
    routes = [view.routing.route(address) for address in well] if view.routing is not None else []
    return len(well) >= _HEALTHY and len({route.asn for route in routes if route is not None}) >= _HEALTHY


def _persist(view: ZoneView, profile: Profile, one: Weighed) -> None:
    wanted, tries = profile.persistence, _tries(view, one)
    if not tries:
        return
    attempts, over_s = min(map(len, tries)), min(_span_s(of) for of in tries)
    if attempts >= wanted.attempts and over_s >= wanted.over_s:
        return
    facts = {"attempts": attempts, "over_s": over_s, "wanted": wanted.attempts, "wanted_s": wanted.over_s}
    if wanted.before == "unknown":
        one.notes.append(Note("not-lasting", {"level": one.level.word, **facts}))
        one.level = Level.UNKNOWN
    else:
        one.notes.append(Note("as-seen", facts))


def _tries(view: ZoneView, one: Weighed) -> list[list[Exchange]]:
    """The exchanges that an outcome cites, by question and server address."""
    cited = set(one.outcome.evidence)
    tries: dict[tuple[str, Address, int], list[Exchange]] = {}
    for exchange in view.exchanges:
        if exchange.ref in cited:
            tries.setdefault((exchange.ask, exchange.address, exchange.transport), []).append(exchange)
    return list(tries.values())


def _span_s(exchanges: Sequence[Exchange]) -> int:
    """From the first to the last, in whole seconds."""
    sent = [exchange.sent_at_ns for exchange in exchanges]
    return (max(sent) - min(sent)) // 1_000_000_000
