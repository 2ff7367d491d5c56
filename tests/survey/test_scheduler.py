"""The scheduler with tasks written for the test: sharing, circles, budgets, recorded answers."""

from __future__ import annotations

from driving import ScriptedEngine, exchanges_of, name

from gnomon.base import parse_address
from gnomon.survey import plan as q
from gnomon.survey.plan import Plan
from gnomon.survey.scheduler import Scheduler
from gnomon.survey.steps import Ask, Need, ask

AT = parse_address("28.1.0.1")
WIRE = q.Q1.compose(name("zone.test."))


def question(about: str, code=q.H1) -> Ask:
    return Ask(code, None, AT, code.compose(name(about)))


class Tasks:
    """Shared tasks by name; each run of one is counted."""

    def __init__(self, **tasks):
        self.tasks = tasks
        self.runs: list[str] = []

    def make(self, key, zone):
        _, about = key
        self.runs.append(str(about))
        return f"name {about}", self.tasks[about.labels[0].decode()](zone)


def key(text: str):
    return ("host", name(text))


def run(tasks, zones, *, plan=None, recorded=None, engine=None):
    """Results of the zones' tasks, the scheduler, and the engine."""
    scheduler = Scheduler(plan or Plan(), tasks.make, vantage="test", silent={}, recorded=recorded)
    engine = engine or ScriptedEngine(lambda address, transport, wire: wire[:2] + b"\x84\x00" + wire[4:])
    results = {}

    def steps(zone, make):
        results[zone] = yield from make(name(zone))

    for zone, make in zones.items():
        scheduler.start_zone(name(zone), f"zone {zone}", steps(zone, make))
    for _ in range(200):
        engine.submit_batch(scheduler.queries)
        scheduler.deliver(engine.take_batch())
        if scheduler.is_idle:
            break
    assert not scheduler.zones_in_work
    return results, scheduler, engine


def needs(*names):
    def steps(zone):
        return (yield Need([key(one) for one in names]))

    return steps


def asks_once(zone):
    replies = yield from ask([question("x.test.")])
    return len(replies[0].statuses)


def test_a_shared_task_runs_once_and_everybody_gets_its_result():
    tasks = Tasks(x=asks_once)
    results, scheduler, _ = run(tasks, {"a.": needs("x."), "b.": needs("x.", "x."), "c.": needs("x.")})
    assert results == {"a.": [1], "b.": [1, 1], "c.": [1]}
    assert tasks.runs == ["x."]
    (shared,) = scheduler.take_shared()
    assert (shared.subject, len(shared)) == ("name x.", 1)


def test_a_zone_is_given_out_after_the_shared_subjects_it_waited_for():
    _, scheduler, _ = run(Tasks(x=asks_once), {"a.": needs("x.")})
    assert scheduler.take_shared() and [str(zone) for zone, _ in scheduler.take_zones()] == ["a."]


def test_waiting_in_a_circle_gives_none_instead_of_waiting_for_ever():
    def x(zone):
        return ("x", (yield Need([key("y.")])))

    def y(zone):
        return ("y", (yield Need([key("x.")])))

    results, _, _ = run(Tasks(x=x, y=y), {"a.": needs("x.")})
    assert results == {"a.": [("x", [("y", [None])])]}


def test_a_task_that_needs_itself_gets_none():
    def x(zone):
        return (yield Need([key("x.")]))

    assert run(Tasks(x=x), {"a.": needs("x.")})[0] == {"a.": [[None]]}


def test_what_a_circle_cut_short_is_tried_again_for_other_zones_but_not_for_ever():
    def x(zone):
        return (yield Need([key("y.")]))

    def y(zone):
        return (yield Need([key("x.")]))

    tasks = Tasks(x=x, y=y)
    run(tasks, {f"z{n}.": needs("x.", "y.") for n in range(50)})
    assert len(tasks.runs) < 20


def test_the_empty_purse_of_one_zone_does_not_spoil_a_name_for_others():
    def x(zone):
        replies = yield from ask([question(f"q{n}.test.") for n in range(20)])
        return sum(bool(reply.statuses) for reply in replies)

    def spends(zone):
        for _ in range(3):
            yield from ask([question("x.test.")])
        return (yield Need([key("x.")]))

    def later(zone):
        for _ in range(5):
            yield from ask([question("x.test.")])
        return (yield Need([key("x.")]))

    tasks = Tasks(x=x, y=spends)
    results, _, _ = run(tasks, {"a.": needs("y."), "b.": later}, plan=Plan(walk_queries=22))
    assert results["a."][0][0] < 20
    assert results["b."] == [20]
    assert tasks.runs == ["y.", "x.", "x."]


def test_names_that_need_names_end_at_the_bound():
    def deeper(zone):
        tasks.depth += 1
        return (yield Need([key(f"x.{'y.' * tasks.depth}")]))

    tasks = Tasks(x=deeper)
    tasks.depth = 0
    run(tasks, {"a.": needs("x.")})
    assert len(tasks.runs) == Plan().indirections


def test_a_wave_over_the_budget_is_sent_in_portions_and_all_of_it_if_it_is_cheap():
    def zone(_):
        replies = yield from ask([question(f"q{n}.test.", q.Q1) for n in range(40)])
        return sum(bool(reply.statuses) for reply in replies)

    # Each may cost 4 messages, each costs 1: there is room for all of them but for the last three.
    assert run(Tasks(), {"a.": zone}, plan=Plan(zone_queries=40))[0] == {"a.": 37}
    assert run(Tasks(), {"a.": zone}, plan=Plan(zone_queries=43))[0] == {"a.": 40}


def test_a_budget_is_never_overspent_by_a_server_that_makes_everything_dear():
    def zone(_):
        yield from ask([question(f"q{n}.test.", q.Q1) for n in range(40)])

    engine = ScriptedEngine(lambda address, transport, wire: None)
    _, scheduler, _ = run(Tasks(), {"a.": zone}, plan=Plan(zone_queries=50), engine=engine)
    assert 45 < engine.sent[AT] <= 50 and scheduler.cut_short == 1


def test_octets_are_bounded_too():
    def zone(_):
        for n in range(40):
            yield from ask([question(f"q{n}.test.", q.Q1)])

    engine = ScriptedEngine(lambda address, transport, wire: b"\0\0\x80\0" + bytes(60_000))
    run(Tasks(), {"a.": zone}, plan=Plan(zone_octets=600_000), engine=engine)
    assert engine.sent[AT] == 10


def test_recorded_answers_are_used_once_and_not_given_out_again():
    _, first, _ = run(Tasks(x=asks_once), {"a.": needs("x.")})
    (shared,) = first.take_shared()
    recorded = {(x.subject, x.ask, x.address, x.query[2:]): [x] for x in exchanges_of(shared)}
    results, again, engine = run(Tasks(x=asks_once), {"b.": needs("x.")}, recorded=recorded)
    assert results == {"b.": [1]}
    assert not again.take_shared() and not engine.sent


def test_an_answer_to_nobody_is_left_alone():
    _, scheduler, engine = run(Tasks(x=asks_once), {"a.": needs("x.")})
    before = scheduler.exchanges
    engine.submit([])
    scheduler.deliver(engine.take_batch())
    assert scheduler.exchanges == before
