"""Runs a survey: zones in, evidence out, over any engine; stops cleanly and goes on where it stopped."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from gnomon.base import Address, Broken, InputError, Name, NameServer, RetryLater, parse_address
from gnomon.engine import Engine
from gnomon.evidence import EvidenceDir, Exchange, RunInfo, SegmentWriter, zone_subject
from gnomon.survey.cuts import LABEL_PREFIX, Walker
from gnomon.survey.given import read_given
from gnomon.survey.plan import Plan
from gnomon.survey.question import UNKNOWN_OPTION
from gnomon.survey.scheduler import Asked, Scheduler
from gnomon.survey.steps import Key
from gnomon.survey.zone import ZoneSurvey

ZONES_IN_WORK = 100  # some 25,000 exchanges: what a kill repeats stays under a minute at the limits of a survey
_SEGMENT_ZONES = 50
_SEGMENT_ROWS = 20_000
_SEGMENT_S = 15.0  # what is finished waits no longer than this: a kill repeats little also where limits make it slow
_TAKE_ROWS = 4096
_TAKE_MS = 200
_PROGRESS_S = 0.2
# Tasks that are done hold no cycles: looking for some after every few hundred objects takes a tenth of the time.
_COLLECTED_AFTER = 100_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a survey is. Exchanges, answers and time are those since it was last started.

    `zones_stored` are on disk and will not be asked again; `cut_short` are zones for which a bound of the plan
    ended the asking.
    """

    zones_total: int
    zones_done: int
    zones_stored: int
    exchanges: int
    answered: int
    cut_short: int
    elapsed_s: float

    @property
    def exchanges_per_s(self) -> float:
        return self.exchanges / self.elapsed_s if self.elapsed_s else 0.0


class Stopped(RetryLater):
    """The survey was interrupted; what is finished is stored, and the same run can go on."""


def identification(contact: str = "") -> str:
    """How whoever sees the queries of a run can know them, and whom to ask: all that is on the wire, and a contact."""
    option, value = UNKNOWN_OPTION
    return (
        f"random names begin with {LABEL_PREFIX.decode()}, unknown EDNS options are {option} with {value.decode()}; "
        f"contact: {contact or 'not given'}"
    )


def run_survey(
    evidence: EvidenceDir,
    engine: Engine,
    *,
    plan: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
    concurrency: int = ZONES_IN_WORK,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Survey the zones of an evidence directory that are not finished yet, and store every exchange there.

    Zones, hints, undelegated zones and the vantage are those of the run. Calling it again on the directory of an
    interrupted run goes on with it.

    Args:
        concurrency: zones in work at once; bounds the memory.
        progress: called a few times a second, after each stored segment and at the end.
        clock: seconds of the clock that the engine's answers come by.

    Raises:
        Stopped: SIGINT or SIGTERM came; says how many zones are done.
        InputError, RetryLater: the directory is damaged or in use, or cannot be written; or the run was begun with
            another plan. Everything flushed before stays.
    """
    plan = plan or Plan()
    if evidence.run.plan.digest != plan.digest:
        raise InputError(
            f"{evidence.path} was begun with another plan of questions ({evidence.run.plan.digest[:12]}, not "
            f"{plan.digest[:12]}): finish it with the Gnomon that began it ({evidence.run.tool.version}), or begin anew"
        )
    with evidence.writer() as writer, _stop_signals() as stop, _few_collections():
        survey = _Survey(evidence, engine, writer, plan, clock)
        survey.run(stop, progress, concurrency)
        done = survey.progress()
        if stop.is_set() and done.zones_done < done.zones_total:
            raise Stopped(
                f"stopped after {done.zones_done} of {done.zones_total} zones; they are safe in {evidence.path}, "
                "run the same command with --resume to go on"
            )
    return done


class _Survey:
    def __init__(
        self, evidence: EvidenceDir, engine: Engine, writer: SegmentWriter, plan: Plan, clock: Callable[[], float]
    ) -> None:
        run = evidence.run
        finished = evidence.finished_zones()
        zones = dict.fromkeys(evidence.zones())
        self._engine = engine
        self._writer = writer
        self._total = len(zones)
        self._done = self._stored = sum(str(zone) in finished for zone in zones)
        self._unflushed = 0
        self._started_s = self._flushed_s = time.monotonic()
        self._told_s = 0.0
        undelegated = {Name.from_text(zone): read_given(given) for zone, given in run.undelegated.items()}
        silent: dict[Address, int] = {}
        self._walker = walker = Walker(
            plan, run.run_id, _hints(run), zones=zones, undelegated=undelegated, silent=silent
        )
        recorded, done = _shared_of(evidence)
        self._scheduler = Scheduler(
            plan, walker.make, vantage=run.vantage, silent=silent, recorded=recorded, done=done,
            # An interrupted run lost numbers it had given out: each start has a range of its own.
            first_seq=len(evidence.manifests()) << 32, clock=clock,
        )  # fmt: skip
        # Neighbours in a list tend to have the same servers: mixed, each is asked evenly over the time.
        left = [zone for zone in zones if str(zone) not in finished]
        self._left = sorted(left, key=lambda zone: walker.digest(zone.key), reverse=True)

    def run(self, stop: threading.Event, tell: Callable[[Progress], None] | None, concurrency: int) -> None:
        scheduler = self._scheduler
        while not stop.is_set():
            while self._left and scheduler.zones_in_work < concurrency:
                zone = self._left.pop()
                scheduler.start_zone(zone, zone_subject(zone), ZoneSurvey(self._walker, zone).steps())
            if scheduler.queries:
                # What does not fit yet stays there: it is bounded by the zones in work and their budgets.
                self._engine.submit_batch(scheduler.queries)
            elif scheduler.is_idle:
                if scheduler.zones_in_work:
                    raise Broken(f"{scheduler.zones_in_work} zones wait for each other; please report this")
                if not self._left:
                    break
            if not scheduler.is_idle:
                scheduler.deliver(self._engine.take_batch(_TAKE_ROWS, _TAKE_MS))
            flushed = self._record()
            now_s = time.monotonic()
            if tell is not None and (flushed or now_s - self._told_s > _PROGRESS_S):
                self._told_s = now_s
                tell(self.progress())
        self._record()
        self._flush()
        if tell is not None:
            tell(self.progress())

    def progress(self) -> Progress:
        scheduler = self._scheduler
        return Progress(
            self._total, self._done, self._stored, scheduler.exchanges, scheduler.answered, scheduler.cut_short,
            time.monotonic() - self._started_s,
        )  # fmt: skip

    def _record(self) -> bool:
        """Hand what is complete to the writer; True if it was flushed."""
        flushed = False
        for recording in self._scheduler.take_shared():
            self._writer.add_recording(recording)
        for zone, recording in self._scheduler.take_zones():
            self._writer.add_recording(recording)
            self._writer.finish_zone(zone)
            self._done += 1
            self._unflushed += 1
            if self._unflushed >= _SEGMENT_ZONES or self._writer.ready_rows >= _SEGMENT_ROWS:
                self._flush()
                flushed = True
        if self._writer.ready_rows and time.monotonic() - self._flushed_s >= _SEGMENT_S:
            self._flush()
            flushed = True
        return flushed

    def _flush(self) -> None:
        self._writer.flush()
        self._stored = self._done
        self._unflushed = 0
        self._flushed_s = time.monotonic()


def _shared_of(evidence: EvidenceDir) -> tuple[dict[Asked, list[Exchange]], dict[Key, object]]:
    """What an interrupted run knows already: answers by question, and the shared tasks that need not run."""
    recorded: dict[Asked, list[Exchange]] = {}
    done: dict[Key, object] = {}
    for exchange in evidence.shared_exchanges():
        if exchange.subject.startswith("server ") and exchange.ask.startswith("S"):
            done["pack", exchange.address] = True
        else:
            asked = (exchange.subject, exchange.ask, exchange.address, exchange.query[2:])
            recorded.setdefault(asked, []).append(exchange)
    return recorded, done


def _hints(run: RunInfo) -> list[NameServer]:
    return [
        NameServer(Name.from_text(name), parse_address(address))
        for name, addresses in run.hints.items()
        for address in addresses
    ]


@contextmanager
def _few_collections() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second one acts as without us."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        restore()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield stop
    finally:
        restore()
