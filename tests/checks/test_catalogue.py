"""What every check must have: a specification, sentences, levels; and peers that name real codes."""

from __future__ import annotations

import ast
import inspect
import re
import string

import pytest

from gnomon.base import Level
from gnomon.checks.levels import NOT_OBSERVED
from gnomon.checks.outcome import State
from gnomon.checks.peers import PEERS, load_peers, tags_of
from gnomon.checks.profile import ZONE_CLASSES, load_profile
from gnomon.checks.registry import Check, all_checks
from gnomon.survey.plan import QUESTIONS

CHECKS = list(all_checks().values())
HEADINGS = ("Why:", "Rule:", "Source:", "Do:")
CODES = {f"{check.id}/{code}" for check in CHECKS for code in check.codes}


@pytest.mark.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])
class TestEveryCheck:
    def test_docstring_is_a_specification(self, check: Check) -> None:
        lines = [line for line in check.doc.splitlines() if line]
        assert lines[0].endswith(".")
        starts = [line.split(" ")[0] for line in lines if re.match(r"[A-Z][a-z]+:( |$)", line)]
        assert starts == list(HEADINGS)

    def test_function_is_short(self, check: Check) -> None:
        source = inspect.getsource(check.judge)
        body = source[source.index("def ") :]
        assert body.count("\n") <= 60

    def test_codes_are_words_and_sentences(self, check: Check) -> None:
        for code, sentence in check.codes.items():
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
            assert sentence[0].isupper() or sentence[0] == "{"
            assert sentence.endswith(".")
            fields = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
            assert all(name.isidentifier() for name in fields)

    def test_codes_in_the_function_have_sentences(self, check: Check) -> None:
        """A code written out in the function is one of the check's codes."""
        tree = ast.parse(inspect.getsource(check.judge).lstrip())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in ("outcome", "unknown", "not_applicable") and isinstance(first, ast.Constant):
                    assert first.value in check.codes

    def test_every_code_has_a_level(self, check: Check) -> None:
        levels = load_profile("default").levels
        assert [code for code in check.codes if f"{check.id}/{code}" not in levels] == []

    def test_asks_what_the_plan_asks(self, check: Check) -> None:
        assert set(check.asked) <= {question.code for question in QUESTIONS}

    def test_family_begins_the_id(self, check: Check) -> None:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", check.id)
        assert 1 <= len(check.properties) <= 2


def test_profile_says_nothing_of_codes_that_do_not_exist() -> None:
    profile = load_profile("default")
    assert set(profile.levels) == CODES
    for zone_class, levels in profile.overrides.items():
        assert zone_class in ZONE_CLASSES
        assert set(levels) <= CODES


def test_class_and_state_decide_over_the_level_of_a_code() -> None:
    profile = load_profile("default")
    assert profile.levels_of("S")["del.lame/refused"] is Level.WARNING
    assert profile.levels_of("S")["soa.refresh/low"] is Level.NOTICE
    assert profile.levels_of("T")["soa.refresh/low"] is Level.PASS
    assert NOT_OBSERVED.keys() == set(State) - {State.OBSERVED}


_FORMS = {
    "zonemaster": (r"[A-Z][A-Za-z]+[0-9]{2}", r"[A-Z][A-Z0-9_]+", "DEBUG INFO NOTICE WARNING ERROR CRITICAL"),
    "dnsviz": (r"[A-Za-z ]+", r"[A-Z][A-Z0-9_]+", "error warning valid"),
    "internetnl": (r"(web|mail)-[a-z0-9]+", r"[a-z][a-z0-9_]+", "passed info warning failed not-tested"),
}


@pytest.mark.parametrize("peer", PEERS)
def test_peers_name_codes_that_exist(peer: str) -> None:
    testcase, tag, levels = _FORMS[peer]
    peers = load_peers(peer)
    assert set(peers) <= CODES
    for code, tags in peers.items():
        for one in tags:
            assert re.fullmatch(testcase, one.testcase), code
            assert re.fullmatch(tag, one.tag), code
            assert one.level in levels.split(), code


def test_outcomes_are_found_by_what_peers_call_them() -> None:
    found = tags_of("mail.mx-v6/none")
    assert [(tag.testcase, tag.tag) for tag in found["internetnl"]] == [("mail-ipv6", "mx_aaaa")]
    assert tags_of("soa.refresh/low").keys() == {"zonemaster"}
