"""Presets: how a kind of review is cut, as a TOML file that is read strictly."""

from __future__ import annotations

import hashlib
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.base import InputError, Property

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
METHODS = ("test", "examine", "interview")


@dataclass(frozen=True, slots=True)
class Question:
    """One scope question and how it will be answered."""

    text: str
    method: str


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """One area of the review to open."""

    title: str
    mandate: str
    sub_team: str
    properties: tuple[str, ...]
    evidence: tuple[str, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole preset; `evidence` maps the slug of each kind of evidence to (name, description)."""

    id: str
    title: str
    purpose: str
    updates_due: int
    evidence: Mapping[str, tuple[str, str]]
    areas: tuple[AreaPlan, ...]
    sha256: str


def preset(name: str) -> Preset:
    """A packaged preset by name, or one from a file if `name` ends in `.toml`.

    Raises:
        InputError: there is none of that name, or the file breaks a rule; names file, table and field.
    """
    if name.endswith(".toml"):
        try:
            return read(Path(name).read_bytes(), name)
        except OSError as error:
            raise InputError(f"cannot read the preset {name}: {error.strerror}") from None
    folder = importlib.resources.files("gnomon.review") / "presets"
    known = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
    if name not in known:
        raise InputError(f"there is no preset {name!r}; there is: {', '.join(known)}, or the path of a .toml file")
    return read((folder / f"{name}.toml").read_bytes(), f"{name}.toml")


def read(octets: bytes, file: str) -> Preset:
    """Read a preset; `file` is how errors call it.

    Raises:
        InputError: not TOML, or an unknown, missing or wrong field.
    """
    try:
        data = tomllib.loads(octets.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not TOML: {error}") from None
    top = _Table(file, "top level", data)
    head = (top.text("id"), top.text("title"), top.text("purpose"))
    updates_due = WEEKDAYS.index(top.word("updates_due", WEEKDAYS))
    evidence = {
        slug: (row.text("name"), row.text("description", last=True)) for slug, row in top.tables("evidence").items()
    }
    areas = tuple(_area(row, tuple(evidence)) for row in top.rows("areas"))
    top.end()
    return Preset(*head, updates_due, evidence, areas, hashlib.sha256(octets).hexdigest())


def _area(row: _Table, evidence: tuple[str, ...]) -> AreaPlan:
    plan = AreaPlan(
        title=row.text("title"),
        mandate=row.text("mandate"),
        sub_team=row.text("sub_team"),
        properties=row.words("properties", tuple(p.value for p in Property)),
        evidence=row.words("evidence", evidence),
        questions=tuple(Question(q.text("text"), q.word("method", METHODS, last=True)) for q in row.rows("questions")),
    )
    row.end()
    return plan


class _Table:
    """One TOML table that hands out its fields once and complains about the rest."""

    def __init__(self, file: str, where: str, data: dict[str, Any]) -> None:
        self._file, self._where, self._left, self._known = file, where, dict(data), list[str]()

    def _fail(self, field: str, what: str) -> InputError:
        return InputError(f"{self._file}, {self._where}: {field!r} {what}")

    def _take(self, field: str, kind: type, what: str) -> Any:
        self._known.append(field)
        if field not in self._left:
            raise self._fail(field, f"is missing; it must be {what}")
        value = self._left.pop(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._fail(field, f"must be {what}, not {type(value).__name__}")
        return value

    def text(self, field: str, *, last: bool = False) -> str:
        value: str = self._take(field, str, "a text")
        if not value.strip():
            raise self._fail(field, "is empty; it must be a text")
        if last:
            self.end()
        return " ".join(value.split())

    def word(self, field: str, allowed: tuple[str, ...], *, last: bool = False) -> str:
        value: str = self._take(field, str, f"one of {', '.join(allowed)}")
        if value not in allowed:
            raise self._fail(field, f"is {value!r}; it must be one of {', '.join(allowed)}")
        if last:
            self.end()
        return value

    def words(self, field: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        what = f"a list of some of {', '.join(allowed)}"
        values: list[Any] = self._take(field, list, what)
        for value in values:
            if value not in allowed:
                raise self._fail(field, f"holds {value!r}; it must be {what}")
        if not values:
            raise self._fail(field, f"is empty; it must be {what}")
        return tuple(values)

    def tables(self, field: str) -> dict[str, _Table]:
        values: dict[str, Any] = self._take(field, dict, "a table of tables")
        for key, value in values.items():
            if not isinstance(value, dict):
                raise self._fail(f"{field}.{key}", f"must be a table, not {type(value).__name__}")
        return {key: _Table(self._file, f"[{field}.{key}]", value) for key, value in values.items()}

    def rows(self, field: str) -> list[_Table]:
        where = f"{self._where}, " if self._where != "top level" else ""
        values: list[Any] = self._take(field, list, f"one or more [[{field}]]")
        if not values or not all(isinstance(value, dict) for value in values):
            raise self._fail(field, f"must be one or more [[{field}]]")
        return [_Table(self._file, f"{where}[[{field}]] {n}", value) for n, value in enumerate(values, 1)]

    def end(self) -> None:
        """Complain about fields that nobody asked for."""
        for field in self._left:
            raise self._fail(field, f"is not known; allowed are: {', '.join(self._known)}")
