"""Words for people, in their language: gettext catalogues that lie in the package, English where there is none.

What is stored never depends on it: verdicts hold codes and facts, and are put into words when they are shown.
"""

from __future__ import annotations

import gettext
import os
from pathlib import Path

from gnomon.base.errors import InputError

DOMAIN = "gnomon"
FOLDER = Path(__file__).parents[1] / "translations"
ENGLISH = "en"

_now: gettext.NullTranslations = gettext.NullTranslations()


def tr(text: str) -> str:
    """The text in the language in use; as it is where the catalogue lacks it."""
    return _now.gettext(text) if text else ""


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
    _now = gettext.translation(DOMAIN, FOLDER, before_english, fallback=True) if before_english else _ENGLISH


_ENGLISH = _now
