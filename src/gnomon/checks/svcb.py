"""HTTPS records: how clients find and reach the zone's web service."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gnomon.base import Name
from gnomon.base.codes import HTTPS
from gnomon.checks.lookup import Lookup, look_up, look_up_host
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.view import ZoneView
from gnomon.wire import services
from gnomon.wire.services import ALPN, ECH, IPV4HINT, IPV6HINT, MANDATORY, NO_DEFAULT_ALPN, PORT, Svcb, key_name

_NONE = {
    "none": "{zone} has no HTTPS record.",
    "not-known": "The HTTPS records of {zone} are not known: no usable answer, or not asked.",
}
_ADDRESS_OCTETS = {IPV4HINT: 4, IPV6HINT: 16}


def _records(found: Lookup) -> tuple[Svcb, ...]:
    read = read_all(services.svcb, found.rdatas)
    return tuple(sorted(read, key=lambda record: (record.priority, record.target.key)))


def _without(found: Lookup) -> Iterator[Outcome]:
    yield not_applicable("none", found.exchanges) if found.is_absent else unknown("not-known", found.exchanges)


@check(
    "app.https-svcb",
    properties=(IOP,),
    asked=("Z1H",),
    version=2,
    codes={
        "valid": "The HTTPS {records:record|records} of {zone} {records:is|are} right: {records}.",
        "malformed": "The HTTPS record {record} of {zone} is wrong: {wrong}.",
        "unreadable": "{count} HTTPS {count:record|records} of {zone} cannot be read.",
        "alias-params": "The HTTPS record {record} of {zone} is in alias mode and has parameters; clients ignore them.",
        "mixed": "{zone} has an HTTPS record in alias mode and others beside it: {records}.",
        "loop": "The HTTPS record of {zone} is an alias of the zone itself.",
        **_NONE,
    },
)
def https_svcb(view: ZoneView) -> Iterator[Outcome]:
    """HTTPS records at the zone's name are well-formed.

    Why: clients ignore all of them if one is malformed, or do not find the service.
    Rule: error for a record that cannot be read, whose parameters are not in rising order or are there twice, with
        a value of the wrong form, or whose mandatory list names itself or a parameter that is missing; warning for
        parameters in alias mode, other records beside an alias, or an alias of the name itself.
    Source: RFC 9460 sections 2.2, 2.4, 7 and 8.
    Do: let the software that serves the zone write the record in presentation form; it puts parameters in order.
    """
    found = look_up(view, view.zone, HTTPS)
    if found.state != "found":
        yield from _without(found)
        return
    records, shown, clean = _records(found), found.exchanges, True
    texts = tuple(_text(record) for record in records)
    if len(records) < len(found.rdatas):
        clean = False
        yield outcome("unreadable", shown, count=len(found.rdatas) - len(records))
    for record in records:
        wrong = _wrong_with(record)
        if wrong or (record.is_alias and record.params):
            clean = False
            yield outcome("malformed" if wrong else "alias-params", shown, record=_text(record), wrong=wrong)
    if len(records) > 1 and any(record.is_alias for record in records):
        clean = False
        yield outcome("mixed", shown, records=texts)
    if any(record.is_alias and record.target == view.zone for record in records):
        clean = False
        yield outcome("loop", shown)
    if clean:
        yield outcome("valid", shown, records=texts)


def _text(record: Svcb) -> str:
    """Priority, target, and the keys of the parameters."""
    return " ".join([str(record.priority), str(record.target), *(key_name(key) for key, _ in record.params)])


def _wrong_with(record: Svcb) -> str:
    """The first fault, as the second half of a sentence; empty if there is none."""
    keys = [key for key, _ in record.params]
    if any(later <= earlier for earlier, later in pairwise(keys)):
        return "its parameters are not in rising order, or there twice"
    for key, value in record.params:
        if not _is_value(key, value):
            return f"the value of {key_name(key)} has the wrong form"
    if NO_DEFAULT_ALPN in keys and ALPN not in keys:
        return "it has no-default-alpn without alpn"
    mandatory = record.param(MANDATORY) or b""
    named = [int.from_bytes(mandatory[at : at + 2], "big") for at in range(0, len(mandatory), 2)]
    if MANDATORY in named:
        return "its mandatory list names itself"
    missing = next((key for key in named if key not in keys), None)
    return f"its mandatory list names {key_name(missing)}, which is not there" if missing is not None else ""


def _is_value(key: int, value: bytes) -> bool:
    """Whether the octets have the form that the key demands (RFC 9460 section 7)."""
    if key in _ADDRESS_OCTETS:
        return bool(value) and len(value) % _ADDRESS_OCTETS[key] == 0
    if key == MANDATORY:
        named = [value[at : at + 2] for at in range(0, len(value), 2)]
        return bool(value) and len(value) % 2 == 0 and named == sorted(set(named))
    if key == ALPN:
        return _is_list(value)
    if key == NO_DEFAULT_ALPN:
        return not value
    return len(value) == 2 if key == PORT else key != ECH or bool(value)


def _is_list(value: bytes) -> bool:
    at = 0
    while at < len(value):
        if not value[at] or at + 1 + value[at] > len(value):
            return False
        at += 1 + value[at]
    return bool(value)


def _target(view: ZoneView, record: Svcb) -> Name:
    """The name that has the addresses; the root stands for the owner (RFC 9460 section 2.5)."""
    return view.zone if record.target.is_root else record.target


@check(
    "app.svcb-hints",
    properties=(STA,),
    asked=("Z1H", "Z1A", "Z2", "H1", "H2"),
    codes={
        "match": "The address hints in the HTTPS records of {zone} are the addresses of {targets}.",
        "differ": "The HTTPS record of {zone} hints at {hints}; {target} has {addresses}.",
        "no-hints": "The HTTPS records of {zone} have no address hints.",
        "target-unknown": "The addresses of {target} are not known, so the hints cannot be compared.",
        **_NONE,
    },
)
def svcb_hints(view: ZoneView) -> Iterator[Outcome]:
    """Address hints in HTTPS records are the addresses that the target has.

    Why: clients connect to the hints before they know the addresses, and so to a server that may be gone.
    Rule: warning if a hint is none of the target's addresses of the same IP version.
    Source: RFC 9460 section 7.3.
    Do: change hints and addresses together, or leave hints out.
    """
    found = look_up(view, view.zone, HTTPS)
    hinting = [record for record in _records(found) if record.hints()]
    if found.state != "found" or not hinting:
        yield from [not_applicable("no-hints", found.exchanges)] if found.state == "found" else _without(found)
        return
    good: list[str] = []
    for record in hinting:
        target, hints = _target(view, record), record.hints()
        host = look_up_host(view, target)
        known = [one for one in (host.v4, host.v6) if one.is_known]
        versions = {4 if one is host.v4 else 6 for one in known}
        stale = [hint for hint in hints if hint.version in versions and hint not in host.addresses]
        name, shown = str(target), found.exchanges + host.exchanges
        if stale:
            texts, addresses = tuple(map(str, stale)), tuple(map(str, host.addresses))
            yield outcome("differ", shown, subject=name, hints=texts, target=name, addresses=addresses)
        elif any(hint.version not in versions for hint in hints):
            yield unknown("target-unknown", shown, subject=name, target=name)
        else:
            good.append(name)
    if len(good) == len(hinting):
        yield outcome("match", found.exchanges, targets=tuple(dict.fromkeys(good)))


@check(
    "app.ech",
    properties=(SEC,),
    asked=("Z1H",),
    codes={
        "offered": "The HTTPS records of {zone} offer encrypted client hello, and the zone is secure.",
        "insecure": "The HTTPS records of {zone} offer encrypted client hello, but anyone can remove them: {reason}.",
        "not-judged": "Whether the HTTPS records of {zone} can be trusted is not known: {reason}.",
        "no-ech": "The HTTPS records of {zone} do not offer encrypted client hello.",
        **_NONE,
    },
)
def ech(view: ZoneView) -> Iterator[Outcome]:
    """Keys for encrypted client hello are published where nobody can strip them.

    Why: who can change DNS answers on the way takes the keys out, and sees the name that the client wants.
    Rule: notice if HTTPS records with ech lie in a zone that is not secure. All servers are taken to have the same
        records.
    Source: RFC 9460 section 14; RFC 9848 section 8; RFC 9849.
    Do: sign the zone.
    """
    found = look_up(view, view.zone, HTTPS)
    if found.state != "found":
        yield from _without(found)
    elif not any(record.param(ECH) for record in _records(found)):
        yield not_applicable("no-ech", found.exchanges)
    else:
        chain = view.chain()
        word = chain.status.value
        if word == "secure":
            yield outcome("offered", found.exchanges)
        elif word == "indeterminate":
            yield unknown("not-judged", found.exchanges, reason=chain.detail)
        else:
            yield outcome("insecure", found.exchanges, reason=chain.detail)
