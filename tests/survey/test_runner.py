"""Surveys into evidence directories: complete, stopped, killed, resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from driving import name
from runs import ZONES, network_engine, new_evidence, recorded, small_world

from gnomon.base import InputError, RetryLater, parse_address
from gnomon.evidence import EvidenceDir, Undelegated
from gnomon.lab.engine import LabEngine
from gnomon.lab.process import LabProcess
from gnomon.lab.scenario import build_world
from gnomon.lab.store import save
from gnomon.survey.given import read_given
from gnomon.survey.plan import Plan
from gnomon.survey.runner import Stopped, run_survey


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed") / "evidence"
    world = small_world()
    run_survey(new_evidence(path, ZONES, world), LabEngine(world), concurrency=7)
    return recorded(path)


def test_everything_is_stored_and_nothing_twice(tmp_path):
    world = build_world()
    zones = ["example.test.", "test.", ".", "nothing.test."]
    told = []
    done = run_survey(new_evidence(tmp_path / "e", zones, world), LabEngine(world), progress=told.append)
    evidence = EvidenceDir.open(tmp_path / "e")
    exchanges = list(evidence.exchanges())
    assert evidence.finished_zones() == set(zones)
    assert len(exchanges) == done.exchanges
    assert done.answered == len([x for x in exchanges if x.ask != "S28"])  # nothing listens for TLS in the lab
    assert len({x.seq for x in exchanges}) == len(exchanges)
    assert (told[-1].zones_done, told[-1].zones_stored, told[-1].zones_total) == (4, 4, 4)


def test_a_shared_subject_is_stored_no_later_than_the_first_zone_that_needs_it(tmp_path, undisturbed):
    world = small_world()
    run_survey(new_evidence(tmp_path / "e", ZONES, world), LabEngine(world), concurrency=3)
    evidence = EvidenceDir.open(tmp_path / "e")
    stored: set[str] = set()
    for manifest in evidence.manifests():
        exchanges = list(evidence.read_segment(manifest))
        stored |= {x.subject for x in exchanges if not x.subject.startswith("zone ")}
        for x in exchanges:
            if x.ask == "Q1":
                assert f"server {x.address}" in stored
                if str(x.server_name).endswith("host.test."):
                    assert f"name {x.server_name}" in stored
    assert {"cut .", "cut test."} <= stored
    assert len(evidence.manifests()) == 3
    assert recorded(tmp_path / "e") == undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_a_word_on_how_to_go_on_and_it_goes_on(tmp_path, undisturbed, number):
    world = small_world()
    evidence = new_evidence(tmp_path / "e", ZONES, world)

    def interrupt(progress):
        if progress.zones_stored and not interrupted:
            interrupted.append(progress)
            os.kill(os.getpid(), number)

    interrupted = []
    before = signal.getsignal(number)
    with pytest.raises(Stopped, match=r"stopped after \d+ of 120 zones.*--resume"):
        run_survey(evidence, LabEngine(world), progress=interrupt, concurrency=7)
    assert signal.getsignal(number) is before
    stopped = EvidenceDir.open(tmp_path / "e")
    assert 50 <= len(stopped.finished_zones()) < 120
    done = run_survey(stopped, LabEngine(world), concurrency=7)
    assert (done.zones_done, done.zones_stored) == (120, 120)
    assert recorded(tmp_path / "e") == undisturbed
    exchanges = list(EvidenceDir.open(tmp_path / "e").exchanges())
    assert len({x.seq for x in exchanges}) == len(exchanges)


def test_after_kill_nine_it_goes_on_over_sockets_and_ends_with_the_same_set(tmp_path, undisturbed):
    path, world = tmp_path / "e", small_world()
    new_evidence(path, ZONES, world)
    save(world, tmp_path / "lab")
    program = str(Path(__file__).with_name("runs.py"))
    with LabProcess(tmp_path / "lab") as lab:
        command = [sys.executable, program, str(path), str(lab.port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            stored = child.stdout.readline()
            child.kill()
        killed = EvidenceDir.open(path)
        assert len(killed.finished_zones()) == int(stored) == 50
        with network_engine(world, lab.port) as engine:
            run_survey(killed, engine, concurrency=7)
    assert EvidenceDir.open(path).finished_zones() == set(ZONES)
    # Over sockets a message may be lost and sent again: the same questions, not the same number of attempts.
    assert set(recorded(path)) == set(undisturbed)


def test_a_finished_survey_has_nothing_to_go_on_with(tmp_path):
    world = build_world()
    run_survey(new_evidence(tmp_path / "e", ["test."], world), LabEngine(world))
    done = run_survey(EvidenceDir.open(tmp_path / "e"), LabEngine(world))
    assert (done.zones_done, done.exchanges) == (1, 0)


def test_it_runs_outside_the_main_thread_too(tmp_path):
    world = build_world()
    evidence = new_evidence(tmp_path / "e", ["test."], world)
    thread = threading.Thread(target=run_survey, args=(evidence, LabEngine(world)))
    thread.start()
    thread.join()
    assert EvidenceDir.open(tmp_path / "e").finished_zones() == {"test."}


def test_another_plan_is_refused(tmp_path):
    world = build_world()
    evidence = new_evidence(tmp_path / "e", ["test."], world, plan=Plan(tries=1))
    with pytest.raises(InputError, match="another plan"):
        run_survey(evidence, LabEngine(world))


def test_a_second_survey_into_the_same_directory_is_refused(tmp_path):
    world = build_world()
    evidence = new_evidence(tmp_path / "e", ["test."], world)
    with evidence.writer(), pytest.raises(RetryLater):
        run_survey(evidence, LabEngine(world))


def test_undelegated_zones_are_read_from_the_run(tmp_path):
    world = build_world()
    given = {"example.test.": Undelegated(("ns1.example.test./28.7.7.53", "ns1.other.test."), ())}
    run_survey(new_evidence(tmp_path / "e", ["example.test."], world, undelegated=given), LabEngine(world))
    asks = Counter(x.ask for x in EvidenceDir.open(tmp_path / "e").exchanges() if x.subject.startswith("zone "))
    assert asks["Q1"] == 6 and not asks["P1"]


def test_given_delegations_are_names_with_or_without_addresses():
    given = read_given(Undelegated(("a.test./28.1.1.1", "b.test", "a.test./2a10::1"), ()))
    assert given.ns_names == (name("a.test."), name("b.test."))
    assert given.glue == {name("a.test."): (parse_address("28.1.1.1"), parse_address("2a10::1")), name("b.test."): ()}
    with pytest.raises(InputError):
        read_given(Undelegated(("a.test./nowhere",), ()))
