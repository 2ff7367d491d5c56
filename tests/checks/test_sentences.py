"""Sentences are right for one server, key or record as for several."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from itertools import pairwise

import pytest

from gnomon.base.words import english, plural_of, tr_with_plural
from gnomon.checks import sentence
from gnomon.checks.registry import all_checks
from gnomon.checks.sentence import fill, for_several
from gnomon.judge.verdict import EXPLANATIONS, SENTENCES
from telling import forms_in

OF = {check.id: tuple(check.codes.values()) for check in all_checks().values()}
OF["any"] = (*SENTENCES.values(), *EXPLANATIONS.values())
TEMPLATES = {template for templates in OF.values() for template in templates}
COUNTED = {name for template in TEMPLATES for name, _ in forms_in(template)}
NUMBERS = {"attempts", "count", "days", "lost", "most", "octets", "seconds", "total", "value", "wanted"}
LISTS = COUNTED - NUMBERS
"""What picks a form in any sentence may be one or several in all of them."""


def blanks(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def after_blanks(template: str) -> Iterator[tuple[str, str, str, tuple[str, str]]]:
    """Each blank without forms: what stands before it, its name, the word after it, and its own forms after it."""
    parts = [(text, name or "", forms or "") for text, name, forms, _ in string.Formatter().parse(template)]
    for (before, name, forms), (between, following, own) in pairwise((*parts, ("", "", ""))):
        if name and not forms:
            one, _, several = own.partition("|") if following == name and between == " " else ("", "", "")
            yield before, name, between.strip().partition(" ")[0], (one, several)


def is_verb(one: str, several: str) -> bool:
    """A verb loses in the plural the s that a noun gets."""
    return one.endswith("s") and not several.endswith("s")


VERBS = {word for template in TEMPLATES for *_, forms in after_blanks(template) if is_verb(*forms) for word in forms}
OPENS_A_CLAUSE = re.compile(r"(^|[,:;(]|\b(but|and|as|or|that|whether|while|though))\s*$", re.IGNORECASE)


@pytest.mark.parametrize("check_id", OF)
def test_every_sentence_is_for_one_and_for_several(check_id: str) -> None:
    for template in OF[check_id]:
        one = fill(template, "example.test.", dict.fromkeys(blanks(template), ("only",)))
        several = fill(template, "example.test.", dict.fromkeys(blanks(template), ("this", "that")))
        for text in (one, several, for_several(template)):
            assert not re.search(r"[|#]|:(?! )|  | [.,;]", text), text
        assert not set("{}") & set(one + several)
        assert all(len(forms) == 2 and forms[0] != forms[1] for _, forms in forms_in(template))


@pytest.mark.parametrize("check_id", OF)
def test_no_verb_has_a_single_form_after_what_may_be_one_or_several(check_id: str) -> None:
    """Once "{servers} {servers:has|have}" stands in a sentence, "{servers} have" opens a clause in none."""
    for template in OF[check_id]:
        for before, name, word, _ in after_blanks(template):
            if name in LISTS and OPENS_A_CLAUSE.search(before):
                assert word.rstrip(".,;:") not in VERBS, f"{{{name}}} {word}"


def test_the_verbs_are_known() -> None:
    assert {"has", "have", "do", "answer", "deny", "are", "send", "give"} <= VERBS
    assert {"servers", "keys", "names"} <= LISTS and not {"server", "key", "zone"} & COUNTED


def test_the_count_picks_the_form() -> None:
    template = "{servers} {servers:has|have} {count} {count:key|keys}."
    assert fill(template, ".", {"servers": ("ns1.a./192.0.2.1",), "count": 1}) == "ns1.a/192.0.2.1 has 1 key."
    assert fill(template, ".", {"servers": ["a.", "b."], "count": 0}) == "a, b have 0 keys."
    assert fill("{count:The only one|All #}.", ".", {"count": 1}) == "The only one."
    assert fill("{count:The only one|All #}.", ".", {"count": 3}) == "All 3."
    assert fill("{name:is|are}", ".", {"name": "one word"}) == fill("{name:is|are}", ".", {"name": None}) == "is"


def test_a_value_is_never_a_form() -> None:
    assert fill("{a} {b:#|several}", ".", {"a": "{b:x|y}", "b": ("# {a} |",)}) == "{b:x|y} # {a} |"


def test_a_language_has_as_many_forms_as_its_rule_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
    told = "{count} {count:ключ|ключа|ключей}."
    monkeypatch.setattr(sentence, "tr_with_plural", lambda _: (told, plural_of(rule)))
    assert [fill("", ".", {"count": n}) for n in (1, 3, 5, 21)] == ["1 ключ.", "3 ключа.", "5 ключей.", "21 ключ."]


def test_what_is_not_translated_follows_the_rule_of_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnomon.base.words._now", ())
    assert tr_with_plural("anything") == ("anything", english)
    assert [plural_of("")(n) for n in (0, 1, 2)] == [english(n) for n in (0, 1, 2)] == [1, 0, 1]


def test_readers_of_the_rules_see_the_words_for_several() -> None:
    assert for_several("{count:The only key|All # keys} of {zone} {count:is|are} in use.") == (
        "All {count} keys of {zone} are in use."
    )


def test_names_lose_their_final_dot_but_the_root() -> None:
    names = ("0/25.2.0.192.in-addr.arpa.", "ns1.0/25.2.0.192.in-addr.arpa./192.0.2.1", ".", "./192.0.2.1")
    told = "0/25.2.0.192.in-addr.arpa, ns1.0/25.2.0.192.in-addr.arpa/192.0.2.1, ., ./192.0.2.1"
    assert fill("{names}", ".", {"names": names}) == told
