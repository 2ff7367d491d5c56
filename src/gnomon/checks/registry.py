"""Registration and discovery of checks: a decorated function in any module of `gnomon.checks` is a check."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from gnomon.base import Property
from gnomon.checks.outcome import Outcome

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

SEC, STA, REL, RES, IOP = Property.SEC, Property.STA, Property.REL, Property.RES, Property.IOP

HEADINGS = ("Why", "Rule", "Source", "Do")

Judge = Callable[["ZoneView"], Iterator[Outcome]]


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One published rule.

    `codes` maps each outcome code to its sentence, a `str.format` template over the outcome's args (and `zone`).
    `asked` lists the plan's questions that feed it. `doc` is the docstring: the specification. `needs` says what it
    takes to judge the rule, empty for all that are judged (see `gnomon.checks.unjudged`).
    """

    id: str
    version: int
    properties: tuple[Property, ...]
    codes: Mapping[str, str]
    asked: tuple[str, ...]
    judge: Judge
    doc: str
    name: str
    needs: str = ""

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]

    @property
    def rule(self) -> str:
        """The docstring's first sentence: what a zone that passes does."""
        return self.doc.partition("\n")[0]

    @property
    def asks(self) -> str:
        """The plan's questions in words."""
        return ", ".join(self.asked) or (
            "nothing: it is not judged" if self.needs else "nothing: the name alone decides"
        )

    def section(self, heading: str) -> str:
        """The text under a heading of the docstring ("Why", "Rule", "Source", "Do") as one line; empty if none."""
        found: list[str] = []
        inside = False
        for line in self.doc.splitlines():
            words = line.split()
            if words and words[0].rstrip(":") in HEADINGS and words[0].endswith(":"):
                inside, words = words[0] == f"{heading}:", words[1:]
            if inside:
                found += words
        return " ".join(found)


_CHECKS: dict[str, Check] = {}


def check(
    id: str,
    *,
    properties: tuple[Property, ...],
    asked: tuple[str, ...],
    codes: Mapping[str, str],
    version: int = 1,
) -> Callable[[Judge], Judge]:
    """Register the function below as the check `id`; raise `version` whenever its verdicts can change."""

    def decorate(judge: Judge) -> Judge:
        name = f"{judge.__module__}.{judge.__qualname__}"
        register(Check(id, version, properties, dict(codes), asked, judge, inspect.getdoc(judge) or "", name))
        return judge

    return decorate


def register(check: Check) -> None:
    """Add a check.

    Raises:
        ValueError: another function has its id already.
    """
    if check.id in _CHECKS and _CHECKS[check.id].name != check.name:
        raise ValueError(f"two checks are called {check.id}")
    _CHECKS[check.id] = check


@cache
def all_checks() -> Mapping[str, Check]:
    """Every check by id, in order of id; the folder is looked through once per process."""
    import gnomon.checks as package

    for module in pkgutil.walk_packages(package.__path__, "gnomon.checks."):
        importlib.import_module(module.name)
    return MappingProxyType(dict(sorted(_CHECKS.items())))
