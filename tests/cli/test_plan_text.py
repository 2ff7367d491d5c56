"""`gnomon assess --explain-plan`: what would be asked, without asking."""

from __future__ import annotations

import json
from pathlib import Path

from cli.conftest import Gnomon, is_refusal
from gnomon.survey.plan import QUESTIONS


def test_every_question_is_in_the_table_and_nothing_is_sent(gnomon: Gnomon, tmp_path: Path) -> None:
    # The hints lead nowhere that may be asked: a packet would end in an error of the run, not in a table.
    told = gnomon("assess", "example.org", "--explain-plan")
    assert told.status == 0
    assert all(f"{question.code} " in told.out for question in QUESTIONS)
    assert "numbers of an ordinary zone" in told.out and "messages in all" in told.out


def test_given_servers_are_counted(gnomon: Gnomon) -> None:
    servers = [f"ns{n}.example.org/28.0.0.{n}" for n in range(3)]
    options = [part for server in servers for part in ("--ns", server)]
    told = gnomon("assess", "example.org", "--explain-plan", *options)
    assert "3 name servers (3 inside it) with 3 addresses" in told.out
    assert "ordinary zone" not in told.out


def test_the_plan_as_data(gnomon: Gnomon) -> None:
    told = json.loads(gnomon("assess", "example.org", "--explain-plan", "--format", "json").out)
    q1 = next(row for row in told["questions"] if row["code"] == "Q1")
    assert (q1["times"], q1["transport"], q1["only_after_trouble"]) == (6, "UDP", False)
    assert "soa.refresh" in q1["feeds"]
    assert told["bounds"]["zone_s"] == 120


def test_what_a_run_really_asked_stands_beside(gnomon: Gnomon, judged: Path, zones: list[str]) -> None:
    told = gnomon("assess", zones[0], "--explain-plan", "--evidence", judged)
    assert told.status == 0 and "are in the evidence" in told.out
    assert is_refusal(gnomon("assess", "nowhere.example", "--explain-plan", "--evidence", judged), "nowhere.example")
