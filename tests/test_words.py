"""Words in other languages: complete where they claim to be, with the same blanks, and no part of what is stored."""

from __future__ import annotations

import importlib.util
import string
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from gnomon.base import InputError
from gnomon.base.words import FOLDER, languages, speak, tr
from gnomon.checks.profile import load_profile
from gnomon.checks.registry import all_checks
from gnomon.judge import explanations, judge_zone, sentence, sentence_for
from gnomon.judge.verdict import EXPLANATIONS, SENTENCES
from gnomon.lab import Scenario
from gnomon.zonefile.codes import CHECKS
from telling import forms_in
from worlds import view_of

OTHERS = [language for language in languages() if language != "en"]


@pytest.fixture(autouse=True)
def english_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LANGUAGE", raising=False)
    yield
    monkeypatch.delenv("LANGUAGE", raising=False)
    speak()


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "gnomon.po").open("rb") as file:
        return read_po(file, locale=language)


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_blanks_and_are_compiled(language: str) -> None:
    catalog = catalogue(language)
    for message in catalog:
        if message.id and message.string:
            assert blanks(message.string) == blanks(message.id), message.id
            assert all(len(forms) == catalog.num_plurals for _, forms in forms_in(message.string)), message.id
    stored = FOLDER / language / "LC_MESSAGES" / "gnomon.mo"
    assert stored.read_bytes() == tool().compiled(catalog), "run: make words"


def test_the_template_has_every_text_of_every_check() -> None:
    texts = {message.id for message in tool().template()}
    for check in all_checks().values():
        assert {check.rule, check.section("Why"), check.section("Do"), *check.codes.values()} <= texts
    for _, sentences in CHECKS.values():
        assert {*sentences.values()} <= texts
    assert {*EXPLANATIONS.values(), *SENTENCES.values()} <= texts
    assert {"critical", "security", "{count} passed", "What to do: {advice}"} <= texts


def tool() -> ModuleType:
    path = Path(__file__).parents[1] / "tools" / "words.py"
    spec = importlib.util.spec_from_file_location("words", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_verdicts_are_the_same_in_every_language(tmp_path: Path) -> None:
    view = view_of(Scenario("x", (), (), {"mx": ["10 gone.example.test."]}, ()), tmp_path)
    english = judge_zone(view, load_profile("default"), ["mail"])
    told = {sentence(verdict) for verdict in english}
    speak("de")
    german = judge_zone(view, load_profile("default"), ["mail"])
    assert [verdict.row for verdict in german] == [verdict.row for verdict in english]
    assert "The mail host gone.example.test does not exist." in told
    assert "Den Mailserver gone.example.test gibt es nicht." in {sentence(verdict) for verdict in german}


def test_forms_and_what_a_level_comes_from_are_in_the_language() -> None:
    several = ("mail.spf-single", "several", "x.")
    unlike = ("net.udp", "silent", "x.")
    notes = [
        ("as-seen", {"attempts": 1, "over_s": 0, "wanted": 3, "wanted_s": 600}),
        ("class", {"level": "notice", "otherwise": "error", "zone_class": "R"}),
        ("a rule of another version", {}),
    ]
    silent = {"server": "a", "how": "timeout", "attempts": 2}
    assert explanations("x.", notes)[0].startswith("As seen in this run, by 1 attempt within 0 s")
    speak("de")
    assert sentence_for(*several, {"servers": ["a"]}) == "a hat mehr als einen SPF-Record von x."
    assert sentence_for(*several, {"servers": ["a", "b"]}) == "a, b haben mehr als einen SPF-Record von x."
    assert sentence_for(*unlike, silent) == "a does not answer over UDP (timeout, 2 attempts)."
    first, second, third = explanations("x.", notes)
    assert first.startswith("So gesehen in diesem Lauf, in 1 Versuch innerhalb von 0 s")
    assert second == "Hinweis ist die Stufe für Zonen der Klasse R; für andere ist es Fehler."
    assert third == "a rule of another version"


def test_the_language_is_that_of_the_option_then_of_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tr("warning") == "warning"
    monkeypatch.setenv("LANGUAGE", "xx:de")
    speak()
    assert tr("warning") == "Warnung"
    speak("en")
    assert tr("warning") == "warning"
    monkeypatch.setenv("LANGUAGE", "en:de")
    speak()
    assert tr("warning") == "warning"
    with pytest.raises(InputError, match="there are: en, de"):
        speak("xx")
    assert tr("a text that no catalogue has") == "a text that no catalogue has" and tr("") == ""
