"""The sentence of an outcome: its code's template filled with its facts, safe to print anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gnomon.base import printable
from gnomon.base.words import tr

_MOST = 12


def fill(template: str, zone: str, args: Mapping[str, object]) -> str:
    """`template` in the language in use, every value as text without control characters, long lists cut.

    Names lose their final dot, which reads like the end of a sentence; the root keeps it.
    """
    return tr(template).format(zone=_text(zone), **{name: _text(value) for name, value in args.items()})


def _text(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(_text(item) for item in value[:_MOST])
        return (
            tr("{some} and {count} more").format(some=shown, count=len(value) - _MOST) if len(value) > _MOST else shown
        )
    text = tr("nothing") if value is None else printable(str(value))
    return " ".join(_without_dot(word) for word in text.split(" "))


def _without_dot(word: str) -> str:
    name, slash, address = word.partition("/")
    return (name.removesuffix(".") or name) + slash + address
