"""Do our levels fit what resolvers do? Run as root, it asks Unbound, BIND and PowerDNS Recursor, in a network namespace
of its own, for the zone in every world of the scenarios of the checks, and lists where they and our verdicts part:

    unshare -n python tests/agreement/levels.py [--part 0/4]

`silent`: a resolver gets no answer, and no verdict of ours is an error. `loud`: all get one, and a verdict is critical.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from namespace import Server, enter
from peers import ask_one, programs
from resolvers import RESOLVERS
from situations import SCENARIOS, Situation, scenario_situations

from gnomon.base import Level
from gnomon.checks.profile import load_profile
from gnomon.judge import judge_zone, views
from gnomon.lab.spec import DEFAULT_CLOCK_S
from worlds import ZONE, survey

FAILED = ("servfail", "bogus", "timeout", "?")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--part", default="0/1", help="of several runs side by side: which, and of how many")
    first, _, step = options.parse_args().part.partition("/")
    enter()
    families = sorted(path.name for path in SCENARIOS.iterdir() if any(path.glob("*.toml")))
    todo = scenario_situations(families)[int(first) :: int(step)]
    for number, situation in enumerate(todo, 1):
        print(f"{number}/{len(todo)} {situation.name}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            for word, codes in judged(situation, Path(folder)):
                print(f"{word:6}  {situation.name}  {codes}", flush=True)


def judged(situation: Situation, folder: Path) -> Sequence[tuple[str, str]]:
    """Whether our levels are too low or too high for what the resolvers say, with what they say or the verdicts."""
    view = next(views(survey(situation.world(DEFAULT_CLOCK_S), folder / "run", [ZONE])))
    found = [(Level.from_word(v.level), f"{v.check_id}/{v.code}") for v in judge_zone(view, load_profile("default"))]
    critical = [code for level, code in found if level is Level.CRITICAL]
    if not critical and any(level is Level.ERROR for level, _ in found):
        return ()
    world = situation.world(int(time.time()))
    server = Server(world)
    try:
        tools = {tool: path for tool, path in programs().items() if tool in ("unbound", *RESOLVERS)}
        said = {tool: ask_one(tool, world, situation, folder, path) for tool, path in tools.items()}
    finally:
        server.close()
    failing = [tool for tool, of in said.items() if any(word in FAILED for word in of.values())]
    if failing and not critical:
        return [("silent", f"no answer to {', '.join(failing)}")]
    return [("loud", ", ".join(critical))] if critical and not failing else ()


if __name__ == "__main__":
    main()
