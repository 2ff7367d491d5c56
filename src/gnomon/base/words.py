"""Words for people, in their language: gettext catalogues that lie in the package, English where there is none.

What is stored never depends on it: verdicts hold codes and facts, and are put into words when they are shown.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from pathlib import Path

from gnomon.base.errors import InputError

DOMAIN = "gnomon"
FOLDER = Path(__file__).parents[1] / "translations"
ENGLISH = "en"

Plural = Callable[[int], int]
"""Which of a language's forms goes with a count, from 0 on."""


def english(count: int) -> int:
    """The first form for one, the second for any other number."""
    return int(count != 1)


_now: tuple[tuple[gettext.NullTranslations, Plural], ...] = ()


def tr(text: str) -> str:
    """The text in the language in use; as it is where the catalogue lacks it."""
    return tr_with_plural(text)[0]


def tr_with_plural(text: str) -> tuple[str, Plural]:
    """The text in the language in use, and the plural rule of the language that it came in."""
    for catalogue, plural in _now if text else ():
        found = catalogue.gettext(text)
        if found != text:
            return found, plural
    return text, english


def languages() -> tuple[str, ...]:
    """The languages there are, English first."""
    found = (path.parent.parent.name for path in FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return (ENGLISH, *sorted(found))


def speak(language: str | None = None) -> None:
    """Use this language from now on; without one, the first of the variable LANGUAGE that there is, or English.

    Raises:
        InputError: there is no such language.
    """
    global _now
    if language is not None and language not in languages():
        raise InputError(f"there are no words in {language!r}; there are: {', '.join(languages())}")
    asked = [language] if language is not None else [word for word in os.environ.get("LANGUAGE", "").split(":") if word]
    before_english = asked[: asked.index(ENGLISH)] if ENGLISH in asked else asked
    catalogues = [gettext.translation(DOMAIN, FOLDER, [word], fallback=True) for word in before_english]
    _now = tuple((one, plural_of(one.info().get("plural-forms", ""))) for one in catalogues)


def plural_of(header: str) -> Plural:
    """The rule of a catalogue's header `Plural-Forms`; that of English without one."""
    rule = header.partition("plural=")[2].rstrip("; ")
    return gettext.c2py(rule) if rule else english
