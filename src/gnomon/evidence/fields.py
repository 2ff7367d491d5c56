"""Reading the fields of a JSON object strictly: each has its type, none is missing, none is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gnomon.base import InputError

T = TypeVar("T")

_SHA256_DIGITS = frozenset("0123456789abcdef")


class Fields:
    """The fields of one object still to be read; every method removes what it returns.

    Raises (every method):
        InputError: the field is missing or has another type; the message names file and field.
    """

    def __init__(self, document: Any, where: str) -> None:
        self._where = where
        if not isinstance(document, dict):
            raise InputError(f"{where} is not an object but {_kind(document)}")
        self._rest = dict(document)

    def text(self, name: str) -> str:
        value: str = self._take(name, lambda value: isinstance(value, str), "a text")
        return value

    def count(self, name: str) -> int:
        value: int = self._take(name, _is_count, "a whole number from 0 on")
        return value

    def digest(self, name: str) -> str:
        value: str = self._take(name, _is_digest, "a SHA-256 in 64 lower-case hexadecimal digits")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._take(name, _is_texts, "a list of texts"))

    def numbers(self, name: str) -> dict[str, int | float]:
        """An object whose values are numbers."""
        value: dict[str, int | float] = self._take(name, _is_numbers, "an object of numbers")
        return value

    def lists(self, name: str) -> dict[str, tuple[str, ...]]:
        """An object whose values are lists of texts."""
        value = self._take(name, _is_lists, "an object of lists of texts")
        return {key: tuple(texts) for key, texts in value.items()}

    def inner(self, name: str) -> Fields:
        """The fields of an object inside."""
        return Fields(self._take(name, lambda value: isinstance(value, dict), "an object"), self._at(name))

    def objects(self, name: str) -> dict[str, Fields]:
        """An object whose values are objects."""
        return {key: Fields(value, f"{self._at(name)}.{key}") for key, value in self.inner(name)._rest.items()}

    def list(self, name: str) -> list[Fields]:
        """The fields of each object of a list."""
        values = self._take(name, lambda value: isinstance(value, list), "a list of objects")
        return [Fields(value, f"{self._at(name)}[{place}]") for place, value in enumerate(values)]

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field as `read` (a method of this object) returns it, or None where it is null."""
        if name in self._rest and self._rest[name] is None:
            del self._rest[name]
            return None
        return read(name)

    def end(self) -> None:
        """All fields have been read.

        Raises:
            InputError: there is one more.
        """
        for name in self._rest:
            raise InputError(f"{self._where} has the unknown field {name!r}: a newer Gnomon may have written it")

    def _at(self, name: str) -> str:
        return f"{self._where}: {name}" if ":" not in self._where else f"{self._where}.{name}"

    def _take(self, name: str, fits: Callable[[Any], bool], wanted: str) -> Any:
        if name not in self._rest:
            raise InputError(f"{self._where} lacks the field {name!r}")
        value = self._rest.pop(name)
        if not fits(value):
            raise InputError(f"{self._where} has in {name!r} {_kind(value)} instead of {wanted}")
        return value


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and _SHA256_DIGITS.issuperset(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(item, int | float) and not isinstance(item, bool) for item in value.values()
    )


def _is_lists(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_texts(item) for item in value.values())


def _kind(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:60]
