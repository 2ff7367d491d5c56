"""Runs the tasks of many zones at once; sans-I/O: queries come out, attempts go in."""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from gnomon._core import Asker, Budget, Recording, UnderWay
from gnomon.base import Address, Name
from gnomon.engine import Attempts, Queries, Status, address_text
from gnomon.evidence import Exchange
from gnomon.survey.plan import Plan
from gnomon.survey.steps import Key, Need, Reply, Steps, Wave

_LOOPED, _LIMITED = 1, 2  # why a result is partial; the larger one counts
_LOOPS_BELIEVED = 3

Asked = tuple[str, str, Address, bytes]
"""Subject, code, address and query without its ID: what makes a question the same as a recorded one."""


class Task(Asker):
    """One running generator.

    `owner` is the zone's task for which it was first started, a zone's own task included. `budgets` all pay for
    what is sent. `partial` says that a loop or a bound cut it short, `partial_results` what was then found for the
    owner, and why. `walked` are an owner's budgets for the zones that are only asked on the way to names.
    """

    __slots__ = (
        "budgets", "depth", "key", "need", "owner", "partial", "partial_results", "purse", "steps", "waiters",
        "waiting", "walked",
    )  # fmt: skip

    def __init__(self, recording: Recording, key: Key, steps: Steps[object], owner: Task | None, depth: int) -> None:
        self.key = key
        self.steps = steps
        self.owner = owner or self
        self.depth = depth
        self.budgets: tuple[Budget, ...] = ()
        self.purse: Budget | None = None
        self.partial = 0
        self.partial_results: dict[Key, tuple[object, int]] = {}
        self.walked: dict[Name, Budget] = {}
        # A need under way.
        self.need: Need | None = None
        self.waiting: set[Task] = set()
        self.waiters: list[Task] = []


@dataclass(slots=True)
class _Bundle:
    """The exchanges of one shared subject while tasks still add to them."""

    recording: Recording
    tasks: int = 0


MakeTask = Callable[[Key, Name], tuple[str, Steps[object]]]
"""Gives the subject and the steps of a shared task; the name is the zone it is first needed for."""


class Scheduler:
    """Multiplexes tasks over one engine.

    Feed `deliver` with attempts, send `queries`, collect `take_shared` before `take_zones`: then the
    exchanges that a finished zone shares are out no later than its own.

    Args:
        silent: kept up to date: how many questions in a row over UDP an address did not answer, if any.
        recorded: exchanges of an interrupted run by question; they are answers now, and are not given out again.
        done: results of shared tasks that are already in the evidence.
        first_seq: the number of the first exchange.
        clock: seconds of a clock that never goes back; by it tasks wait and zones come to their end.
    """

    def __init__(
        self,
        plan: Plan,
        make: MakeTask,
        *,
        vantage: str,
        silent: dict[Address, int],
        recorded: Mapping[Asked, list[Exchange]] | None = None,
        done: Mapping[Key, object] | None = None,
        first_seq: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._make = make
        self._vantage = vantage
        self._clock = clock
        self._order = count()  # of those that go on at the same time
        self._waiting: list[tuple[float, int, Task]] = []  # when each goes on, by that time
        self._recorded = dict(recorded or {})
        self._results: dict[Key, object] = dict(done or {})
        self._running: dict[Key, Task] = {}
        self._bundles: dict[str, _Bundle] = {}
        self._loops: dict[Key, int] = {}
        self._ready: deque[tuple[Task, object]] = deque()
        self._shared: list[Recording] = []
        self._zones: list[tuple[Name, Recording]] = []
        self.queries = Queries()
        """What is to be sent; whoever sends it takes it out."""
        self._under_way: UnderWay[Task] = UnderWay(self.queries, silent, vantage, first_seq)
        self._first_seq = first_seq
        self.zones_in_work = 0
        self.cut_short = 0
        """Finished zones for which a bound of the plan ended the asking."""

    @property
    def exchanges(self) -> int:
        """The number of exchanges that were recorded."""
        return self._under_way.next_seq - self._first_seq

    @property
    def answered(self) -> int:
        """How many of them brought an answer."""
        return self._under_way.answered

    @property
    def is_idle(self) -> bool:
        """Nothing is under way: no answer is waited for, no task can go on now or later."""
        return not (self._under_way or self.queries or self._ready or self._waiting)

    def start_zone(self, zone: Name, subject: str, steps: Steps[None]) -> None:
        """Begin the survey of one zone."""
        task = Task(Recording(subject), ("zone", zone), steps, None, 0)
        until_s = self._clock() + self._plan.zone_s
        task.budgets = (Budget(self._plan.zone_queries, self._plan.zone_octets, until_s),)
        task.purse = Budget(self._plan.walk_queries, self._plan.zone_octets, until_s)
        self.zones_in_work += 1
        self._ready.append((task, None))
        self._run()

    def take_shared(self) -> list[Recording]:
        """The exchanges of shared subjects that are complete."""
        shared, self._shared = self._shared, []
        return shared

    def take_zones(self) -> list[tuple[Name, Recording]]:
        """The zones that are finished, with their own exchanges."""
        zones, self._zones = self._zones, []
        return zones

    def deliver(self, attempts: Attempts) -> None:
        """Take in what came back and let the tasks go on."""
        for task in self._under_way.deliver(attempts):
            if self._send(task):
                self._ready.append((task, task.replies))
        self._run()

    # Driving tasks

    def _run(self) -> None:
        waiting, ready = self._waiting, self._ready
        now_s = self._clock() if waiting else 0.0
        while waiting and waiting[0][0] <= now_s:
            task = heapq.heappop(waiting)[2]
            if self._send(task):
                ready.append((task, task.replies))
        while ready:
            self._step(*ready.popleft())

    def _step(self, task: Task, value: object) -> None:
        send = task.steps.send
        while True:
            try:
                wanted = send(value)
            except StopIteration as end:
                self._finish(task, end.value)
                return
            if isinstance(wanted, Wave):
                task.begin(wanted.asks, (*task.budgets, *self._walked(task, wanted.walked)))
                if self._recorded and task.owner is not task:
                    self._recall(task)
                if wanted.wait_s > 0:
                    heapq.heappush(self._waiting, (self._clock() + wanted.wait_s, next(self._order), task))
                    return
                if not self._send(task):
                    return
                value = task.replies
            else:
                if not self._gather(task, wanted):
                    return
                value = [self._result(task, key) for key in wanted.keys]

    def _finish(self, task: Task, result: object) -> None:
        if task.owner is task:
            self.zones_in_work -= 1
            self.cut_short += task.partial == _LIMITED
            name = task.key[1]
            assert isinstance(name, Name)
            self._zones.append((name, task.recording))
            del task.owner  # or it would keep itself, and all that it recorded
            return
        del self._running[task.key]
        bundle = self._bundles[task.recording.subject]
        bundle.tasks -= 1
        if not bundle.tasks:
            del self._bundles[task.recording.subject]
            if len(bundle.recording):
                self._shared.append(bundle.recording)
        if task.partial == _LOOPED:
            self._loops[task.key] = self._loops.get(task.key, 0) + 1
            if self._loops[task.key] >= _LOOPS_BELIEVED:
                task.partial = 0
        if not task.partial:
            self._results[task.key] = result
        else:
            task.owner.partial_results[task.key] = (result, task.partial)
        for waiter in task.waiters:
            waiter.waiting.discard(task)
            # A result cut short by another zone's budget, or by waiting in circles, is no result for this one.
            if task.partial and waiter.owner is not task.owner:
                self._wait_for(waiter, task.key)
            else:
                waiter.partial = max(waiter.partial, task.partial)
            if not waiter.waiting and waiter.need is not None:
                need, waiter.need = waiter.need, None
                self._ready.append((waiter, [self._result(waiter, key) for key in need.keys]))

    # Shared tasks

    def _result(self, task: Task, key: Key) -> object:
        if key in self._results:
            return self._results[key]
        return task.owner.partial_results.get(key, (None, 0))[0]

    def _gather(self, task: Task, need: Need) -> bool:
        """Start what is needed and not there; True if there is nothing to wait for."""
        for key in need.keys:
            if key not in self._results:
                self._wait_for(task, key, need.wait)
        if task.waiting:
            task.need = need
            return False
        return True

    def _wait_for(self, task: Task, key: Key, wait: bool = True) -> None:
        if key in task.owner.partial_results:
            task.partial = max(task.partial, task.owner.partial_results[key][1])
            return
        other = self._running.get(key)
        if other is None:
            depth = task.depth + (key[0] == "host")
            if depth > self._plan.indirections:
                task.partial = _LIMITED
                return
            other = self._start_shared(key, task.owner, depth)
        if not wait:
            return
        if task.owner is not task and _reaches(other, task):
            task.partial = max(task.partial, _LOOPED)
            return
        other.waiters.append(task)
        task.waiting.add(other)

    def _start_shared(self, key: Key, owner: Task, depth: int) -> Task:
        zone = owner.key[1]
        assert isinstance(zone, Name)
        subject, steps = self._make(key, zone)
        bundle = self._bundles.setdefault(subject, _Bundle(Recording(subject)))
        bundle.tasks += 1
        task = Task(bundle.recording, key, steps, owner, depth)
        budget = Budget(self._plan.name_queries, self._plan.zone_octets, self._clock() + self._plan.zone_s)
        # The compliance pack has a fixed size: it needs no share of what walking may cost.
        task.budgets = (budget,) if key[0] == "pack" or owner.purse is None else (budget, owner.purse)
        self._running[key] = task
        self._ready.append((task, None))
        return task

    # Sending

    def _send(self, task: Task) -> bool:
        """Send as much of the task's wave as its budgets allow; True if nothing of it is left to wait for."""
        now_s = self._clock()
        # What the budgets keep back goes on when it is known what the open ones really cost.
        while self._under_way.send(task, now_s) and not task.open:
            self._leave_out(task, task.skip())
        return not task.open

    def _leave_out(self, task: Task, reply: Reply) -> None:
        """A bound keeps the question from being sent; the first such one of each task is recorded, for the zone."""
        recording, (question, name, address, wire) = task.owner.recording, reply.ask
        if task.partial != _LIMITED and (at_ns := recording.last_sent_at_ns) is not None:
            recording.add(
                self._under_way.take_seq(), question.code, None if name is None else str(name), address_text(address),
                question.port, question.transport, 1, at_ns, None, 0, Status.NOT_SENT_BOUND, 0, wire, None,
                self._vantage,
            )  # fmt: skip
        task.partial = _LIMITED

    def _walked(self, task: Task, zone: Name | None) -> tuple[Budget, ...]:
        """What a task's owner may still ask of a zone that is only asked on the way, unless that is above it."""
        owner = task.owner.key[1]
        if zone is None or not isinstance(owner, Name) or owner.is_subdomain_of(zone):
            return ()
        budget = task.owner.walked.get(zone)
        if budget is None:
            most = self._plan.walked_queries
            budget = task.owner.walked[zone] = Budget(most, self._plan.zone_octets, math.inf)
        return (budget,)

    def _recall(self, task: Task) -> None:
        """Fill the replies of a shared task's wave with what an interrupted run recorded."""
        for reply in task.replies:
            ask = reply.ask
            asked = (task.recording.subject, ask.question.code, ask.address, ask.wire[2:])
            for exchange in self._recorded.pop(asked, ()):
                reply.add(exchange.status, exchange.response)


def _reaches(task: Task, target: Task) -> bool:
    """True if `task` waits, through others or not, for `target`."""
    seen: set[Task] = set()
    todo: Sequence[Task] = [task]
    while todo:
        if target in todo:
            return True
        seen.update(todo)
        todo = [other for one in todo for other in one.waiting if other not in seen]
    return False
