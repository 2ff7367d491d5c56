"""What Unbound, DNSViz, BIND and PowerDNS Recursor say about lab worlds: run as root, it answers for every server of a
world at its real address in a network namespace of its own, and asks those of them that it finds.

    unshare -n python tests/agreement/peers.py [--only NAME] [--known recorded.json] > new.json

Nothing can leave: the namespace has only its loopback interface.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from namespace import Server, enter, hint_lines, root_keys
from resolvers import RESOLVERS, ask_resolver
from situations import PROBE, Situation, situations

from gnomon.lab import World

_STATUS = re.compile(r"\((secure|insecure|BOGUS)")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only")
    options.add_argument("--known", type=Path, help="what is in this file already is not asked again")
    chosen = options.parse_args()
    enter()
    todo = [one for one in situations() if chosen.only in (None, one.name)]
    tools = programs()
    known = json.loads(chosen.known.read_text()) if chosen.known else {"situations": {}, "versions": {}}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, situation in enumerate(todo, 1):
            print(f"{number}/{len(todo)} {situation.name}", file=sys.stderr)
            before = known["situations"].get(situation.name, {})
            wanted = {tool: path for tool, path in tools.items() if tool not in before}
            found[situation.name] = {**before, **(ask(situation, Path(folder), wanted) if wanted else {})}
    versions = {**known["versions"], **{tool: version(tool, path) for tool, path in tools.items()}}
    json.dump({"versions": versions, "situations": found}, sys.stdout, indent=1, sort_keys=True)
    print()


def programs() -> dict[str, str]:
    """Those of the tools that are installed, with their paths."""
    names = {"unbound": "unbound-host", "dnsviz": "dnsviz"} | {n: of.command[0] for n, of in RESOLVERS.items()}
    return {tool: path for tool, name in names.items() if (path := shutil.which(name))}


def version(tool: str, path: str) -> str | None:
    flag = {"unbound": "-h", "powerdns": "--version"}.get(tool, "-v")
    said = subprocess.run([path, flag], capture_output=True, text=True)
    match = re.search(r"(?:Version |BIND |Recursor |^)([0-9]+[0-9.]+)", said.stdout + said.stderr)
    return match.group(1) if match else None


def ask(situation: Situation, folder: Path, tools: dict[str, str]) -> dict[str, Any]:
    world = situation.world(int(time.time()))
    server = Server(world)
    try:
        return {tool: ask_one(tool, world, situation, folder, program) for tool, program in tools.items()}
    finally:
        server.close()


def ask_one(tool: str, world: World, situation: Situation, folder: Path, program: str) -> dict[str, Any]:
    if tool in RESOLVERS:
        return ask_resolver(RESOLVERS[tool], world, situation, folder)
    return (ask_unbound if tool == "unbound" else ask_dnsviz)(world, situation, folder, program)


def ask_unbound(world: World, situation: Situation, folder: Path, program: str) -> dict[str, str]:
    """The status of the zone's SOA, and of the answer for a name that does not exist."""
    hints, anchor, config = folder / "hints", folder / "anchor", folder / "unbound.conf"
    hints.write_text(hint_lines(world))
    anchor.write_text("".join(f"{line}\n" for line in world.trust_anchors()))
    config.write_text(
        f'server:\n do-ip6: yes\n root-hints: "{hints}"\n trust-anchor-file: "{anchor}"\n module-config: "validator '
        'iterator"\n do-not-query-localhost: no\n qname-minimisation: no\n outbound-msg-retry: 2\n'
        " harden-algo-downgrade: no\n val-clean-additional: no\n trust-anchor-signaling: no\n"
        ' val-sig-skew-min: 0\n val-sig-skew-max: 0\n local-zone: "test." nodefault\n'
    )
    found = {}
    for word, name, rtype in (("soa", situation.zone, "SOA"), ("denial", f"{PROBE}.{situation.zone}", "A")):
        try:
            said = subprocess.run(
                [program, "-C", str(config), "-v", "-t", rtype, name], capture_output=True, text=True, timeout=60
            )
        except subprocess.TimeoutExpired:
            found[word] = "timeout"
            continue
        match = _STATUS.search(said.stdout)
        found[word] = "servfail" if "SERVFAIL" in said.stdout and match is None else match[1].lower() if match else "?"
    return found


def ask_dnsviz(world: World, situation: Situation, folder: Path, program: str) -> dict[str, Any]:
    """The status of the delegation and of the zone's SOA, and the names of all errors."""
    anchor, probe = folder / "trusted.key", folder / "probe.json"
    anchor.write_text(root_keys(world))
    servers = [
        f"{name}={address if address.version == 4 else f'[{address}]'}"
        for name, addresses in world.hints().items()
        for address in addresses
    ]
    asking = [program, "probe", "-A", "-a", ".", "-x", f".:{','.join(servers)}", "-o", str(probe), situation.zone]
    judging = [program, "grok", "-P", "-t", str(anchor), "-r", str(probe), situation.zone]
    try:
        subprocess.run(asking, capture_output=True, text=True, timeout=120, check=True)
        grok = subprocess.run(judging, capture_output=True, text=True, timeout=120, check=True)
    except subprocess.TimeoutExpired:
        return {"failed": "timeout"}
    except subprocess.CalledProcessError as error:
        return {"failed": str(error.stderr).strip().rsplit("\n", 1)[-1][:120]}
    document = json.loads(grok.stdout)
    zone = document.get(situation.zone, {})
    soa = zone.get("queries", {}).get(f"{situation.zone}/IN/SOA", {})
    return {
        "delegation": zone.get("delegation", {}).get("status", "?").lower(),
        "soa": sorted({answer.get("status", "?").lower() for answer in soa.get("answer", [])}),
        "errors": sorted(set(errors_of(zone))),
    }


def errors_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [error["code"] for error in value.get("errors", []) if isinstance(error, dict) and "code" in error]
        return own + [code for key, inner in value.items() if key != "errors" for code in errors_of(inner)]
    return [code for inner in value for code in errors_of(inner)] if isinstance(value, list) else []


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
