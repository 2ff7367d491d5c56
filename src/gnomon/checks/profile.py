"""Profiles: which level each outcome code has, by class of zone. See `profiles/README.md` for the format."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from gnomon.base import InputError, Level
from gnomon.checks.outcome import State
from gnomon.checks.registry import all_checks

ZONE_CLASSES = ("R", "T", "A", "K", "S")


@dataclass(frozen=True, slots=True)
class Profile:
    """Levels by full code (`check-id/condition`); `overrides` holds the exceptions of each zone class."""

    name: str
    levels: Mapping[str, Level]
    overrides: Mapping[str, Mapping[str, Level]]

    def level(self, code: str, zone_class: str, state: State = State.OBSERVED) -> Level:
        """The level of an outcome; what could not be judged or does not apply has no other level than that.

        Raises:
            KeyError: the profile does not know the code.
        """
        if state is State.UNKNOWN:
            return Level.UNKNOWN
        if state is State.NOT_APPLICABLE:
            return Level.NOT_APPLICABLE
        override = self.overrides.get(zone_class, {}).get(code)
        return self.levels[code] if override is None else override

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the levels in a fixed text form; the name does not count."""
        parts = {"": self.levels, **self.overrides}
        lines = [f"{part} {code} {of[code].word}" for part, of in sorted(parts.items()) for code in sorted(of)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_profile(name_or_path: str) -> Profile:
    """A packaged profile by name, or one's own TOML file by path.

    Raises:
        InputError: no such profile or file, or it names an unknown code, level or zone class.
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
    profile = _build(path.stem, [(name_or_path, document)], _packaged("default") if base else None)
    missing = len(_codes() - set(profile.levels))
    if missing:
        raise InputError(f'{path} gives {missing} codes no level; write extends = "default" in its first line')
    return profile


_PACKAGED = resources.files("gnomon.checks") / "profiles"


@lru_cache(maxsize=8)
def _packaged(name: str) -> Profile:
    files = sorted((f for f in (_PACKAGED / name).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return _build(name, [(f"{name}/{f.name}", _parse(f.name, f.read_text(encoding="utf-8"))) for f in files], None)


def _parse(where: str, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not valid TOML: {error}") from None


def _build(name: str, documents: Iterable[tuple[str, dict[str, object]]], base: Profile | None) -> Profile:
    """One profile of several documents over an optional base; no code twice for the same class."""
    levels = dict(base.levels) if base else {}
    overrides = {zone_class: dict(of) for zone_class, of in base.overrides.items()} if base else {}
    known = _codes()
    seen: set[tuple[str, str]] = set()
    for where, document in documents:
        for zone_class, code, word in _entries(where, document):
            if code not in known:
                raise InputError(f"{where}: no check can yield {code!r}; the pages of the checks list all codes")
            if (zone_class, code) in seen:
                raise InputError(f"{where}: {code!r} is given twice; keep one of them")
            seen.add((zone_class, code))
            target = overrides.setdefault(zone_class, {}) if zone_class else levels
            target[code] = _level(where, code, word)
    return Profile(name, levels, overrides)


def _codes() -> set[str]:
    return {f"{check.id}/{code}" for check in all_checks().values() for code in check.codes}


def _entries(where: str, document: dict[str, object]) -> Iterable[tuple[str, str, object]]:
    """(zone class or "", code, word) of each entry."""
    given = document.get("levels", {})
    if set(document) - {"levels"} or not isinstance(given, dict):
        key = next(iter(set(document) - {"levels"}), "levels")
        raise InputError(f"{where}: {key!r} is not understood; a profile has tables [levels], [levels.T] and `extends`")
    for key, value in given.items():
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
