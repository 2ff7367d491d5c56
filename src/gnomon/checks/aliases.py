"""Where the aliases in an answer lead: CNAME records, and those made of a DNAME (RFC 1034 section 3.6.2, RFC 6672)."""

from __future__ import annotations

from gnomon.base import InputError, Name
from gnomon.base.codes import CNAME, DNAME
from gnomon.checks.read import read
from gnomon.wire import Message, RRset, rdata


def end_of_aliases(message: Message, name: Name) -> Name:
    """The name that the response code is about: the one asked for, or where its aliases end (RFC 6604 section 3)."""
    if message.rrset("answer", name, CNAME) is None:
        return name
    targets = {r.owner: target for r in message.answer if r.rtype == CNAME and (target := read(rdata.ns, r.rdata))}
    for _ in range(len(targets)):  # no further, for aliases may lead in a circle
        name = targets.get(name, name)
    return name


def is_synthesised(message: Message, rrset: RRset) -> bool:
    """Whether a CNAME is the one that a DNAME of the same answer stands for, and so has no signature of its own.

    Validators make it anew from the DNAME (RFC 6672 section 5.3.1).
    """
    if rrset.rtype != CNAME or rrset.signatures or len(rrset.rdatas) != 1:
        return False
    got = read(rdata.ns, rrset.rdatas[0])
    for record in message.answer:
        if record.rtype == DNAME and is_below(rrset.owner, record.owner):
            target = read(rdata.ns, record.rdata)
            if target is not None and got == substituted(rrset.owner, record.owner, target):
                return True
    return False


def substituted(name: Name, owner: Name, target: Name) -> Name | None:
    """The name with the DNAME's owner replaced by its target; None if that is too long (RFC 6672 section 2.2)."""
    made = target
    try:
        for label in reversed(name.labels[: len(name.labels) - len(owner.labels)]):
            made = made.prepend(label)
    except InputError:
        return None
    return made


def is_below(name: Name, above: Name) -> bool:
    """Whether the name lies below the other and is not the same."""
    return name != above and name.is_subdomain_of(above)
