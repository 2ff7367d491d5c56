"""Syntax: names that every implementation accepts."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import NS, SOA
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import IOP, check
from gnomon.checks.view import ZoneView

_HOST_OCTETS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def _bad_hyphens(label: bytes) -> bool:
    """Hyphens at 3 and 4 are kept for prefixes such as xn-- (RFC 5891 section 4.2.3.1)."""
    return label[2:4] == b"--" and label[:2].lower() != b"xn"


@check(
    "syn.zone-hyphen",
    properties=(IOP,),
    asked=(),
    codes={
        "fine": "No label of {zone} begins or ends with a hyphen.",
        "initial": "The label {label} of {zone} begins with a hyphen.",
        "terminal": "The label {label} of {zone} ends with a hyphen.",
    },
)
def zone_hyphen(view: ZoneView) -> Iterator[Outcome]:
    """No label of the zone's name begins or ends with a hyphen.

    Why: such a name is no host name; registries, resolver libraries and certificates reject it.
    Rule: error for a label that begins or ends with a hyphen.
    Source: RFC 1123 section 2.1.
    Do: use another name.
    """
    faults = 0
    for label in view.zone.labels:
        for code, bad in (("initial", label[:1] == b"-"), ("terminal", label[-1:] == b"-")):
            if bad:
                faults += 1
                yield outcome(code, label=_label(label))
    if not faults:
        yield outcome("fine")


@check(
    "syn.zone-double-hyphen",
    properties=(IOP,),
    asked=(),
    codes={
        "fine": "No label of {zone} has hyphens where only prefixes may have them.",
        "double-hyphen": "The label {label} of {zone} has hyphens at its third and fourth place without being xn--.",
    },
)
def zone_double_hyphen(view: ZoneView) -> Iterator[Outcome]:
    """No label of the zone's name has hyphens at the third and fourth place, but for xn--.

    Why: these places are reserved for prefixes; software may take the label for an encoded one.
    Rule: warning for "--" at 3 and 4 in a label that does not begin with xn.
    Source: RFC 5891 section 4.2.3.1.
    Do: use another name.
    """
    bad = [label for label in view.zone.labels if _bad_hyphens(label)]
    for label in bad:
        yield outcome("double-hyphen", label=_label(label))
    if not bad:
        yield outcome("fine")


@check(
    "syn.ns-name",
    properties=(IOP,),
    asked=("P1", "Q3"),
    codes={
        "all-hostnames": "All {count} NS names of {zone} are valid host names.",
        "not-a-hostname": "The NS name {name} is not a valid host name.",
        "numeric-tld": "The NS name {name} ends in a top-level domain of digits.",
        "double-hyphen": "The NS name {name} has hyphens as third and fourth character without being xn--.",
        "no-names": "{zone} has no NS names.",
    },
)
def ns_name(view: ZoneView) -> Iterator[Outcome]:
    """Every NS name is a valid host name.

    Why: registries and resolvers may reject or misread anything else; a name that ends in digits looks like an address.
    Rule: error for a label with other characters than letters, digits and hyphens, with a hyphen at an end, or for a
        top-level domain of digits; warning for hyphens at 3 and 4 without xn.
    Source: RFC 952; RFC 1123 section 2.1; RFC 3696 section 2.
    Do: rename the name server.
    """
    delegation = view.delegation()
    shown = [*(delegation.exchanges if delegation else ()), *view.apex_exchanges(NS)]
    faults = 0
    for name in view.ns_names:
        code = _fault(name)
        if code is not None:
            faults += 1
            yield outcome(code, shown, subject=str(name), name=str(name))
    if not view.ns_names:
        yield unknown("no-names", view.asked("P1"), view.asked("Q3"))
    elif not faults:
        yield outcome("all-hostnames", shown, count=len(view.ns_names))


def _fault(name: Name) -> str | None:
    labels = name.labels
    if not labels or any(not _HOST_OCTETS.issuperset(a) or a[:1] == b"-" or a[-1:] == b"-" for a in labels):
        return "not-a-hostname"
    if labels[-1].isdigit():
        return "numeric-tld"
    return "double-hyphen" if any(map(_bad_hyphens, labels)) else None


@check(
    "syn.rname-at",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "fine": "The contact in the SOA record of {zone} is written without an at sign.",
        "at-sign": "The contact in the SOA record of {zone} is written with an at sign: {rname}.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def rname_at(view: ZoneView) -> Iterator[Outcome]:
    """The contact in the SOA record is a domain name, without an at sign.

    Why: RNAME stands for a mail address with its at sign replaced by a dot; with it, mail cannot be addressed.
    Rule: warning if RNAME contains "@".
    Source: RFC 1035 section 3.3.13.
    Do: write hostmaster.example. for hostmaster@example.
    """
    wrong = [address for address, soa in view.soas().items() if b"@" in soa.rname.wire]
    answers = (view.apex_answer(SOA, address) for address in wrong or view.soas())
    shown = [answer.exchange for answer in answers if answer]
    if not view.soas():
        yield unknown("no-soa", view.asked("Q1"))
    elif wrong:
        yield outcome("at-sign", shown, rname=str(view.soas()[wrong[0]].rname))
    else:
        yield outcome("fine", shown)


def _label(label: bytes) -> str:
    return str(Name(bytes([len(label)]) + label + b"\x00")).rstrip(".")
