"""Reading profiles: the packaged ones, and the TOML files of users. docs/how-to/write-a-profile.md has the format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import tomli

from gnomon.base import InputError, Level, Name
from gnomon.checks.levels import ZONE_CLASSES, Persistence, Profile, ZoneClass
from gnomon.checks.registry import all_checks

__all__ = ["ZONE_CLASSES", "Persistence", "Profile", "ZoneClass", "load_profile"]

_TABLES = ("levels", "zones", "masking", "persistence", "causes")
_BEFORE = ("as-seen", "unknown")
_MOST_ATTEMPTS, _MOST_S = 1000, 366 * 86_400
_PACKAGED = Path(__file__).parent / "profiles"


def load_profile(name_or_path: str) -> Profile:
    """A packaged profile by name, or one's own TOML file by path.

    Raises:
        InputError: no such profile or file, or it names something unknown; says where, and what is allowed.
    """
    if name_or_path.isidentifier() and (_PACKAGED / name_or_path).is_dir():
        return _packaged(name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise InputError(f"there is no profile {name_or_path!r}: give a packaged one (default) or a TOML file")
    try:
        document = _parse(name_or_path, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the profile {name_or_path} cannot be read: {error}") from None
    base = document.pop("extends", None)
    if base not in (None, "default"):
        raise InputError(f'{path}: extends = {base!r} is not possible; only extends = "default" is')
    start = _packaged("default") if base else Profile("", {}, {})
    profile = _build(path.stem, [(name_or_path, document)], start)
    missing = len(_codes() - set(profile.levels))
    if missing:
        raise InputError(f'{path} gives {missing} codes no level; write extends = "default" in its first line')
    return profile


@lru_cache(maxsize=8)
def _packaged(name: str) -> Profile:
    files = sorted((f for f in (_PACKAGED / name).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    documents = [(f"{name}/{f.name}", _parse(f.name, f.read_text(encoding="utf-8"))) for f in files]
    return _build(name, documents, Profile("", {}, {}))


def _parse(where: str, text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise InputError(f"{where} is not valid TOML: {error}") from None


def _build(name: str, documents: Iterable[tuple[str, dict[str, Any]]], base: Profile) -> Profile:
    """One profile of several documents over a base; what two documents give is put together."""
    levels = dict(base.levels)
    overrides = {zone_class: dict(of) for zone_class, of in base.overrides.items()}
    causes, classes = dict(base.causes), dict(base.classes)
    masked, persistence = base.masked, base.persistence
    seen: set[tuple[str, str]] = set()
    for where, document in documents:
        for key in document:
            if key not in _TABLES:
                raise InputError(f"{where}: {key!r} is not understood; a profile has {_tables()} and `extends`")
        for zone_class, code, word in _entries(where, document):
            if code not in _codes():
                raise InputError(f"{where}: no check can yield {code!r}; the pages of the checks list all codes")
            if (zone_class, code) in seen:
                raise InputError(f"{where}: {code!r} is given twice; keep one of them")
            seen.add((zone_class, code))
            target = overrides.setdefault(zone_class, {}) if zone_class else levels
            target[code] = _level(where, code, word)
        classes.update(_classes(where, _table(where, document, "zones")))
        masked = _masked(where, _table(where, document, "masking"), masked)
        persistence = _persistence(where, _table(where, document, "persistence"), persistence)
        if more := _causes(where, _table(where, document, "causes")):
            causes.update(more)
            _refuse_circles(where, causes)
    return Profile(name, levels, overrides, masked, persistence, causes, classes)


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(f"{check.id}/{code}" for check in all_checks().values() for code in check.codes)


@lru_cache(maxsize=1)
def _named() -> Mapping[str, set[str]]:
    """The codes by every word that can stand for them: the code, its check, its family."""
    found: dict[str, set[str]] = {}
    for code in _codes():
        for word in (code, code.partition("/")[0], code.partition(".")[0]):
            found.setdefault(word, set()).add(code)
    return found


def _tables() -> str:
    return ", ".join(f"[{table}]" for table in (*_TABLES[:1], "levels.T", *_TABLES[1:]))


def _table(where: str, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{where}: {name!r} is not understood; a profile has {_tables()} and `extends`")
    return table


def _entries(where: str, document: Mapping[str, Any]) -> Iterable[tuple[str, str, object]]:
    """(zone class or "", code, word) of each level."""
    for key, value in _table(where, document, "levels").items():
        if not isinstance(value, dict):
            yield "", key, value
        elif key in ZONE_CLASSES:
            yield from ((key, code, word) for code, word in value.items())
        else:
            raise InputError(f"{where}: [levels.{key}] is no class of zone; use one of {', '.join(ZONE_CLASSES)}")


def _level(where: str, code: str, word: object) -> Level:
    try:
        return Level.from_word(str(word))
    except KeyError:
        words = ", ".join(level.word for level in Level)
        raise InputError(f"{where}: {code!r} = {word!r} is no level; use one of {words}") from None


def _classes(where: str, table: Mapping[str, Any]) -> Iterable[tuple[str, ZoneClass]]:
    """The zones that [zones] lists by class, in text form."""
    for key, zones in table.items():
        zone_class = next((one for one in ZONE_CLASSES if one == key), None)
        if zone_class is None:
            raise InputError(f"{where}: [zones] {key!r} is no class of zone; use one of {', '.join(ZONE_CLASSES)}")
        for text in _texts(where, f"[zones] {key}", zones):
            try:
                yield str(Name.from_text(text)).lower(), zone_class
            except InputError as error:
                raise InputError(f"{where}: [zones] {key}: {error}") from None


def _masked(where: str, table: Mapping[str, Any], base: frozenset[str]) -> frozenset[str]:
    _known_keys(where, "masking", table, ("codes",))
    return _expanded(where, "[masking] codes", table["codes"]) if "codes" in table else base


def _persistence(where: str, table: Mapping[str, Any], base: Persistence) -> Persistence:
    _known_keys(where, "persistence", table, ("codes", "attempts", "over_s", "before"))
    for key, least, most in (("attempts", 1, _MOST_ATTEMPTS), ("over_s", 0, _MOST_S)):
        value = table.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InputError(f"{where}: [persistence] {key} = {value!r} is no whole number from {least} to {most}")
    if table.get("before", _BEFORE[0]) not in _BEFORE:
        allowed = " or ".join(f'"{word}"' for word in _BEFORE)
        raise InputError(f"{where}: [persistence] before = {table['before']!r} is not possible; write {allowed}")
    changed = {key: value for key, value in table.items() if key != "codes"}
    if "codes" in table:
        changed["codes"] = _expanded(where, "[persistence] codes", table["codes"])
    return replace(base, **changed)


def _causes(where: str, table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The causes of each code; a check is never the cause of itself."""
    found: dict[str, set[str]] = {}
    for word, words in table.items():
        for code in _expanded(where, "[causes]", [word]):
            mine = _expanded(where, f"[causes] {word!r}", words)
            check = code.partition("/")[0]
            found.setdefault(code, set()).update(c for c in mine if c.partition("/")[0] != check)
    return {code: tuple(sorted(causes)) for code, causes in found.items()}


def _refuse_circles(where: str, causes: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(causes).prepare()
    except CycleError as error:
        circle = " of ".join(repr(code) for code in error.args[1])
        raise InputError(f"{where}: [causes] go round in a circle: {circle}; take one of them out") from None


def _expanded(where: str, what: str, words: object) -> frozenset[str]:
    """The codes that a list of families, checks and codes names."""
    found: set[str] = set()
    for word in _texts(where, what, words):
        mine = _named().get(word)
        if mine is None:
            raise InputError(f"{where}: {what}: {word!r} is no family, check or code; `gnomon checks` lists them")
        found |= mine
    return frozenset(found)


def _texts(where: str, what: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError(f"{where}: {what} = {value!r} is no list of texts; write it in [ ], each text in quotes")
    return value


def _known_keys(where: str, name: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{where}: [{name}] has no {key!r}; it has {', '.join(known)}")
