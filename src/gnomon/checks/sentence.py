"""The sentence of an outcome: its code's template filled with its facts, safe to print anywhere.

A template is in the manner of `str.format`. What follows the colon in a blank are the forms of a word for the count of
the value, its own if it is a number, else how many it lists: `{servers} {servers:has|have} {count}
{count:key|keys}`. A language has as many forms as its plural rule tells; `#` in a form is the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gnomon.base import printable
from gnomon.base.words import Plural, tr, tr_with_plural

_MOST = 12
_FORMS = re.compile(r"\{(\w+):([^{}]*)\}")


class _Blank(NamedTuple):
    """A value in a sentence, which `str.format` asks for its text or the form for its count."""

    text: str
    number: int
    plural: Plural

    def __format__(self, forms: str) -> str:
        if not forms:
            return self.text
        of = forms.split("|")
        return of[min(self.plural(self.number), len(of) - 1)].replace("#", self.text)


def fill(template: str, zone: str, args: Mapping[str, object]) -> str:
    """`template` in the language in use, every value as text without control characters, long lists cut.

    Names lose their final dot, which reads like the end of a sentence; the root keeps it.
    """
    text, plural = tr_with_plural(template)
    blanks = {name: _Blank(_text(value), _count(value), plural) for name, value in {**args, "zone": zone}.items()}
    return text.format(**blanks)


def for_several(template: str) -> str:
    """A template as a reader of the rules wants to see it: with the words for several in the place of all forms."""
    return _FORMS.sub(lambda blank: blank[2].split("|")[-1].replace("#", f"{{{blank[1]}}}"), template)


def _count(value: object) -> int:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return len(value)
    return value if isinstance(value, int) else 1


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(_text(item) for item in value[:_MOST])
        return (
            tr("{some} and {count} more").format(some=shown, count=len(value) - _MOST) if len(value) > _MOST else shown
        )
    text = tr("nothing") if value is None else printable(str(value))
    return " ".join(_without_dot(word) for word in text.split(" "))


def _without_dot(word: str) -> str:
    """A name, or `name/address`; a name under arpa may have a slash itself (RFC 2317 section 4)."""
    return "/".join([part.removesuffix(".") or part for part in word.split("/")])
