"""Syntax: names that every implementation accepts."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Name
from gnomon.base.codes import MX, NOERROR, NS, SOA
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import in_order, read_all
from gnomon.checks.registry import IOP, check
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata

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
        "all-hostnames": "{count:The only NS name|All # NS names} of {zone} "
        "{count:is a valid host name|are valid host names}.",
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


@check(
    "syn.zone-chars",
    properties=(IOP,),
    asked=(),
    codes={
        "fine": "All characters of {zone} are letters, digits, hyphens or underscores.",
        "not-allowed": "The label {label} of {zone} has other characters than letters, digits, hyphens, underscores.",
    },
)
def zone_chars(view: ZoneView) -> Iterator[Outcome]:
    """The zone's name has letters, digits, hyphens and underscores only.

    Why: registries, libraries and certificates know no other names, though the protocol allows any octet.
    Rule: error for a label with another character. Underscores mark names for services (RFC 8552); under arpa a slash
        may stand for a part of an address block (RFC 2317 section 4).
    Source: RFC 1035 section 2.3.1; RFC 1123 section 2.1; RFC 8552 section 1.1.
    Do: use another name; write international names as A-labels (xn--).
    """
    allowed = _HOST_OCTETS | frozenset(b"_/" if view.zone_class == "A" else b"_")
    bad = [label for label in view.zone.labels if not allowed.issuperset(label)]
    for label in bad:
        yield outcome("not-allowed", label=_label(label))
    if not bad:
        yield outcome("fine")


@check(
    "syn.zone-length",
    properties=(IOP,),
    asked=(),
    codes={
        "fits": "The name {zone} has {octets} octets; 255 are allowed, and 63 in a label.",
        "label-length": "A label of {zone} has {octets} octets; 1 to 63 are allowed.",
        "too-long": "The name of the zone has {octets} octets; 255 are allowed.",
    },
)
def zone_length(view: ZoneView) -> Iterator[Outcome]:
    """The zone's name and its labels are not too long.

    Why: longer names cannot be written into a message.
    Rule: error for a label of no or over 63 octets, or a name of over 255. Gnomon refuses such names where they are
        given to it, so only evidence of others can have them.
    Source: RFC 1035 sections 2.3.4 and 3.1.
    Do: use another name.
    """
    wire = view.zone.wire
    lengths = [len(label) for label in view.zone.labels]
    wrong = [length for length in lengths if not 1 <= length <= 63]
    for length in wrong:
        yield outcome("label-length", octets=length)
    if len(wire) > 255:
        yield outcome("too-long", octets=len(wire))
    elif not wrong:
        yield outcome("fits", octets=len(wire))


@check(
    "syn.mname",
    properties=(IOP,),
    asked=("Q1", "Q2", "Q7"),
    codes={
        "hostname": "The primary in the SOA record of {zone} is a valid host name.",
        "not-a-hostname": "The primary in the SOA record of {zone} is not a valid host name: {name}.",
        "numeric-tld": "The primary in the SOA record of {zone} ends in a top-level domain of digits: {name}.",
        "double-hyphen": "The primary in the SOA record of {zone} has hyphens at 3 and 4 without being xn--: {name}.",
        "none": "The SOA record of {zone} names no primary.",
        "no-soa": "No server of {zone} gives its SOA record with authority.",
    },
)
def mname(view: ZoneView) -> Iterator[Outcome]:
    """The primary in the SOA record is a valid host name.

    Why: dynamic updates and notifications go to it by name.
    Rule: warning as for NS names: other characters than letters, digits and hyphens, a hyphen at an end, a top-level
        domain of digits, or hyphens at 3 and 4 without xn. A single dot says that there is none.
    Source: RFC 952; RFC 1123 section 2.1; RFC 1035 section 3.3.13.
    Do: write the primary's host name into the SOA record.
    """
    if not view.soas():
        yield unknown("no-soa", view.asked("Q1"))
    for name in dict.fromkeys(soa.mname for soa in view.soas().values()):
        at = [address for address, soa in view.soas().items() if soa.mname == name]
        shown = [answer.exchange for address in at if (answer := view.apex_answer(SOA, address)) is not None]
        code = "none" if name.is_root else _fault(name) or "hostname"
        yield outcome(code, shown, subject=str(name), name=str(name))


@check(
    "syn.mx-name",
    properties=(IOP,),
    asked=("Z1M",),
    codes={
        "all-hostnames": "{count:The only mail exchange|All # mail exchanges} of {zone} "
        "{count:is a valid host name|are valid host names}.",
        "not-a-hostname": "The mail exchange {name} is not a valid host name.",
        "numeric-tld": "The mail exchange {name} ends in a top-level domain of digits.",
        "double-hyphen": "The mail exchange {name} has hyphens as third and fourth character without being xn--.",
        "none": "{zone} names no mail exchange.",
        "no-answer": "No server of {zone} answered for its mail exchanges.",
    },
)
def mx_name(view: ZoneView) -> Iterator[Outcome]:
    """Every mail exchange is a valid host name.

    Why: mail servers refuse to deliver to anything else.
    Rule: warning as for NS names: other characters than letters, digits and hyphens, a hyphen at an end, a top-level
        domain of digits (an address is no name), or hyphens at 3 and 4 without xn.
    Source: RFC 5321 section 2.3.5; RFC 1123 section 2.1.
    Do: name a mail server by its host name.
    """
    answers = [a for a in view.answers("Z1M") if a.message.aa and a.message.rcode == NOERROR]
    records = (r for a in answers for r in a.message.answer if r.rtype == MX and r.owner == view.zone)
    names = in_order(mx.exchange for mx in read_all(rdata.mx, (r.rdata for r in records)) if not mx.exchange.is_root)
    shown = shown_by(answers)
    faults = {name: fault for name in names if (fault := _fault(name)) is not None}
    for name, fault in faults.items():
        yield outcome(fault, shown, subject=str(name), name=str(name))
    if not answers:
        yield unknown("no-answer", view.asked("Z1M"))
    elif not names:
        yield not_applicable("none", shown)
    elif not faults:
        yield outcome("all-hostnames", shown, count=len(names))
