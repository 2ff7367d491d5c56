"""The syntax of SPF records (RFC 7208 section 12), in linear time: records are hostile input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from gnomon.base import InputError, Name

_VERSION = "v=spf1"
_MACRO = r"%\{[slodiphcrtv][0-9]*r?[-.+,/_=]*\}|%[%_-]"
_TOKEN = re.compile(rf"{_MACRO}|[!-$&-~]")
_MACRO_STRING = re.compile(rf"(?:{_MACRO}|[!-$&-~])*+")
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)")
_CIDR = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?")
_LABEL_OCTETS = 63
LOOKUPS = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
"""The terms that cost the receiver DNS look-ups (RFC 7208 section 4.6.4)."""


class Term(NamedTuple):
    """A mechanism, or a modifier with an empty qualifier; `value` is what follows its name, without prefix lengths.

    `lengths` are these prefix lengths as written, with their slashes.
    """

    qualifier: str
    name: str
    value: str
    lengths: str

    @property
    def domain(self) -> Name | None:
        """The domain it names; None if it names none, or one with macros."""
        if not self.value or "%" in self.value:
            return None
        try:
            return Name.from_text(self.value)
        except InputError:
            return None


def policies(texts: Iterable[tuple[bytes, ...]]) -> tuple[str, ...]:
    """The SPF records among TXT records, in lower case and sorted; strings are joined (RFC 7208 section 3.3).

    Octets outside ASCII stay visible as the characters of the same number, which no SPF record may have.
    """
    joined = (b"".join(strings).decode("latin-1").lower() for strings in texts)
    return tuple(sorted(text for text in joined if text == _VERSION or text.startswith(_VERSION + " ")))


def is_null(policy: str) -> bool:
    """True if it says that no host may send: "-all" and nothing else."""
    return policy.split(" ")[1:] == ["-all"]


def terms(policy: str) -> tuple[Term, ...]:
    """The terms of a record in lower case, in order; only of one in which `wrong_term` finds nothing."""
    return tuple(_term(text) for text in filter(None, policy.removeprefix(_VERSION).split(" ")))


def _term(text: str) -> Term:
    modifier = _MODIFIER.fullmatch(text)
    if modifier is not None:
        return Term("", modifier[1], modifier[2], "")
    qualifier, text = (text[0], text[1:]) if text[0] in "+-?~" else ("+", text)
    name, colon, value = text.partition(":")
    if not colon:
        name, slash, lengths = text.partition("/")
        return Term(qualifier, name, "", slash + lengths)
    if name in ("ip4", "ip6"):
        value, slash, lengths = value.partition("/")
    elif name in ("a", "mx"):
        value, slash, lengths = _before_cidr(value)
    else:
        slash = lengths = ""
    return Term(qualifier, name, value, slash + lengths)


def wrong_term(policy: str) -> str | None:
    """The first term of a record in lower case that the grammar does not allow; None if there is none."""
    once: set[str] = set()
    for term in filter(None, policy.removeprefix(_VERSION).split(" ")):
        modifier = _MODIFIER.fullmatch(term)
        if modifier is None:
            if not _is_directive(term):
                return term
            continue
        name, value = modifier.groups()
        if name in ("redirect", "exp"):
            if name in once or not _is_domain(value):
                return term
            once.add(name)
        elif _MACRO_STRING.fullmatch(value) is None:
            return term
    return None


def _is_directive(term: str) -> bool:
    term = term[1:] if term[0] in "+-?~" else term
    name, colon, value = term.partition(":")
    if colon and name in ("include", "exists"):
        return _is_domain(value)
    if colon and name in ("ip4", "ip6"):
        return _is_network(value, name)
    if colon and name == "ptr":
        return _is_domain(value)
    if colon and name in ("a", "mx"):
        domain, slash, lengths = _before_cidr(value)
        return _is_domain(domain) and _are_lengths(slash + lengths)
    if colon:
        return False
    name, slash, lengths = term.partition("/")
    return (name in ("a", "mx") and _are_lengths(slash + lengths)) or (name in ("all", "ptr") and not slash)


def _before_cidr(value: str) -> tuple[str, str, str]:
    """A domain and the prefix lengths behind it; a slash inside a macro belongs to the domain."""
    return value.partition("/") if "}" not in value else _after_macros(value)


def _after_macros(value: str) -> tuple[str, str, str]:
    at = value.rindex("}") + 1
    domain, slash, lengths = value[at:].partition("/")
    return value[:at] + domain, slash, lengths


def _are_lengths(text: str) -> bool:
    found = _CIDR.fullmatch(text)
    return found is not None and int(found[1] or 0) <= 32 and int(found[2] or 0) <= 128


def _is_network(value: str, kind: str) -> bool:
    address, slash, length = value.partition("/")
    try:
        most = (IPv4Address(address) if kind == "ip4" else IPv6Address(address)).max_prefixlen
    except AddressValueError:
        return False
    if "%" in address:
        return False
    return not slash or (_CIDR.fullmatch("//" + length) is not None and int(length) <= most)


def _is_domain(value: str) -> bool:
    """A macro string that ends with a macro or a top-level label (domain-spec)."""
    if _MACRO_STRING.fullmatch(value) is None:
        return False
    tokens = _TOKEN.findall(value)
    if not tokens:
        return False
    if len(tokens[-1]) > 1:
        return True
    literal = 0
    for token in reversed(tokens):
        if len(token) > 1:
            break
        literal += 1
    tail = value[-literal:].removesuffix(".")
    dot, label = tail.rpartition(".")[1:]
    return bool(dot) and _is_top_label(label)


def _is_top_label(label: str) -> bool:
    """Letters, digits and inner hyphens, not digits alone (RFC 7208 section 7.1)."""
    plain = label.replace("-", "")
    if not plain.isascii() or not plain.isalnum() or len(label) > _LABEL_OCTETS:
        return False
    return label[0] != "-" and label[-1] != "-" and not label.isdigit()
