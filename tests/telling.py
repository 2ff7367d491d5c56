"""Sentences filled the way that outcomes fill them, with what must be so for each."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping

from gnomon.checks.sentence import fill


def forms_in(template: str) -> list[tuple[str, list[str]]]:
    """The blanks of a sentence that pick a form, each with its forms."""
    return [(name, forms.split("|")) for _, name, forms, _ in string.Formatter().parse(template) if name and forms]


def told(template: str, zone: str, args: Mapping[str, object]) -> str:
    """The sentence; every form is picked by a number or a list, and nothing of the template is left in it."""
    for name, _ in forms_in(template):
        assert isinstance(args[name], int | tuple | list), f"{name} has no count: {template}"
    sentence = fill(template, zone, args)
    assert not re.search(r"[{}]", sentence), sentence
    return sentence
