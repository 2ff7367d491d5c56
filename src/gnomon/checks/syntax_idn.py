"""Internationalised names: A-labels (xn--) that stand for what they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import idna

from gnomon.base import Name, printable
from gnomon.base.codes import MX
from gnomon.base.once import once
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.unjudged import NEEDS
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata


@once
def _a_labels(view: ZoneView) -> Mapping[bytes, Name]:
    """The labels with xn-- in the zone's name and in what its NS, SOA and MX records name, each with one such name."""
    names = [view.zone, *view.ns_names]
    names += [name for soa in view.soas().values() for name in (soa.mname, soa.rname)]
    records = (r for a in view.answers("Z1M") for r in a.message.answer if r.rtype == MX and r.owner == view.zone)
    names += [mx.exchange for mx in read_all(rdata.mx, (record.rdata for record in records))]
    found: dict[bytes, Name] = {}
    for name in names:
        for label in name.labels if b"xn--" in name.key else ():
            if label[:4].lower() == b"xn--":
                found.setdefault(label.lower(), name)
    return found


@check(
    "syn.idna2008",
    properties=(IOP, SEC),
    asked=("P1", "Q1", "Q3", "Z1M"),
    codes={
        "valid": "The international {labels:label|labels} in the names of {zone} {labels:is|are} valid: {labels}.",
        "invalid": "The label {label} of {name} is no valid A-label: {reason}.",
        "only-uts46": "The label {label} ({text}) of {name} is valid only by the older rules: {reason}.",
        "none": "No name of {zone} has an international label.",
    },
)
def idna2008(view: ZoneView) -> Iterator[Outcome]:
    """A label that begins with xn-- stands for a valid international label.

    Why: software shows, sorts and compares the label that is meant; one that cannot be read back, or has characters
        that IDNA2008 leaves out, works in one program and not in the next, and serves to deceive.
    Rule: every such label in the names of the zone, its name servers, SOA and mail exchanges is decoded and encoded
        again. Error unless that gives the same octets and the label keeps to IDNA2008 (NFC, no DISALLOWED or
        unassigned code points, the rules for joiners, context and right-to-left); warning if only the mapping of UTS 46
        and IDNA2003 allows it, as with emoji.
    Source: RFC 5891 section 4.2; RFC 5892; RFC 5893; UTS 46 section 4.
    Do: register the label that IDNA2008 allows.
    """
    labels, faults = _a_labels(view), 0
    for label, name in labels.items():
        reason = _fault(label)
        if reason:
            faults += 1
            text = _older(label)
            code = "only-uts46" if text else "invalid"
            facts = {"label": _ascii(label), "name": str(name), "reason": reason, "text": text}
            yield outcome(code, subject=f"{_ascii(label)} {name}", **facts)
    if not labels:
        yield not_applicable("none")
    elif not faults:
        yield outcome("valid", labels=tuple(f"{_ascii(label)} {printable(idna.ulabel(label))}" for label in labels))


def _fault(label: bytes) -> str:
    """Why it is no A-label, in a few words; empty if it is one."""
    try:
        return "" if idna.alabel(idna.ulabel(label)) == label else "it is not what encoding it again gives"
    except idna.InvalidCodepoint:
        return "it has a character that IDNA2008 does not allow"
    except idna.InvalidCodepointContext:
        return "it has a character in a place where IDNA2008 does not allow it"
    except idna.IDNABidiError:
        return "it breaks the rules for right-to-left scripts"
    except (idna.IDNAError, UnicodeError, IndexError):
        return "it cannot be decoded"


def _older(label: bytes) -> str:
    """What the label stands for if UTS 46 (transitional or not) leaves it as it is; else empty."""
    try:
        text = label[4:].decode("ascii").encode("ascii").decode("punycode")
        same = text == idna.uts46_remap(text, std3_rules=True) and text.encode("punycode") == label[4:]
    except (idna.IDNAError, UnicodeError, IndexError, ValueError, OverflowError):
        return ""
    return printable(text) if same and not text.isascii() else ""


def _ascii(label: bytes) -> str:
    return str(Name(bytes([len(label)]) + label + b"\0")).rstrip(".")


@check(
    "syn.idn-lgr",
    properties=(SEC, IOP),
    asked=("P1", "Q1", "Q3", "Z1M"),
    codes={
        "none": "No name of {zone} has an international label.",
        "needs-reference-list": f"Not judged for {{zone}} ({{labels}}): {NEEDS['reference-list']}.",
    },
)
def idn_lgr(view: ZoneView) -> Iterator[Outcome]:
    """An international label keeps to the table of its registry, and cannot be taken for another's.

    Why: a label in mixed scripts, or one that looks like a known name, serves to deceive.
    Rule: warning for a label outside the label generation rules of its registry or of the root, notice for one that
        mixes scripts or looks like a registered name. The rules and the registered names must be known to judge that:
        unknown for every zone with such a label.
    Source: RFC 7940; Root Zone Label Generation Rules; UTS 39 sections 4 and 5.
    Do: register labels that the published table of the registry allows.
    """
    labels = _a_labels(view)
    if labels:
        yield unknown("needs-reference-list", labels=tuple(map(_ascii, labels)))
    else:
        yield not_applicable("none")
