"""Code that can be read: no check over 60 lines, no file over 500."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gnomon

MOST_LINES_OF_A_FILE, MOST_LINES_OF_A_CHECK = 500, 60
SOURCES = sorted(Path(gnomon.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SOURCES])
def test_a_file_and_its_checks_are_short(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and any(_name(decorator) == "check" for decorator in node.decorator_list):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_CHECK, f"{node.name} has {lines} lines"


def _name(decorator: ast.expr) -> str:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return function.id if isinstance(function, ast.Name) else ""
