"""Every octet and every invisible character that a network can send, through every format: none acts on the reader."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from gnomon.base import Name, printable, printable_bytes
from gnomon.checks.catalogue import render_html
from gnomon.cli.assess import FORMATS
from gnomon.cli.indicators import _write_csv
from gnomon.cli.terminal import console, row, say, table
from gnomon.cli.verdicts import Assessed, print_all
from gnomon.insight.indicator import Slice, compute
from gnomon.judge import Verdict, sentence

OCTETS = bytes(range(256))
# Surrogates are one category of many alike; the low ones cannot join into a character by accident.
INVISIBLE = "".join(
    ch
    for ch in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp") or 0xDC00 <= ord(ch) < 0xDC10
)
TEXTS = (OCTETS.decode("latin-1"), INVISIBLE)


def names() -> list[Name]:
    """Names whose labels hold every octet."""
    labels = [OCTETS[at : at + 63] for at in range(0, 256, 63)]
    return [Name.from_wire(bytes([len(label)]) + label + b"\x04test\x00") for label in labels]


def is_clean(text: str) -> bool:
    """Nothing in it but what can be seen, and the ends of lines."""
    return not any(unicodedata.category(ch) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") for ch in text if ch != "\n")


def hostile_verdicts() -> list[Verdict]:
    texts = [*TEXTS, *map(str, names()), printable_bytes(OCTETS)]
    return [
        Verdict(
            zone=text, check_id=check, check_version=1, subject=text, properties=("security",), code=code,
            state="observed", level="error", args={name: value}, evidence=(text,),
        )
        for text in texts
        for check, code, name, value in (
            ("mail.spf-single", "syntax", "term", text),
            ("mail.spf-single", "differ", "values", [text, text]),
            ("exp.version", "no-such-code", "version", text),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_verdicts(form: str) -> None:
    verdicts, out = hostile_verdicts(), io.StringIO()
    with contextlib.redirect_stdout(out):
        print_all([Assessed(v.zone, [v], 2, 30, "2026-11-01 00:00 UTC") for v in verdicts], form, all_outcomes=True)
    text = out.getvalue()
    assert text and is_clean(text)
    if form == "jsonl":
        assert [json.loads(line)["subject"] for line in text.splitlines()] == [v.subject for v in verdicts]


def test_sentences_show_what_they_escape() -> None:
    for verdict in hostile_verdicts():
        told = sentence(verdict)
        assert is_clean(told) and told == printable(told)
    escaped = printable(TEXTS[0])
    assert all(rf"\x{octet:02x}" in escaped for octet in range(256) if octet < 32 or 127 <= octet < 160)
    assert all(f"\\{octet:03d}" in printable_bytes(OCTETS) for octet in range(256) if octet < 32 or octet > 126)


def test_lines_and_tables() -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for text in (*TEXTS, *map(str, names())):
            say(text, (text, "bold"))
            made = table("heading", "heading")
            row(made, text, (text, "bold"))
            console().print(made)
    assert is_clean(out.getvalue())


def test_csv(judged: Path) -> None:
    found = compute(judged, "run")
    out = io.StringIO()
    _write_csv([replace(one, slices=tuple(Slice(text, 1, 2) for text in TEXTS)) for one in found], out)
    assert found and is_clean(out.getvalue())


def test_the_page_of_checks() -> None:
    assert is_clean(render_html())
