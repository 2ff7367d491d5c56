"""What `assess`, `survey` and `demo` share: options, the run's description, the engine, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import click

from gnomon import __version__
from gnomon.base import Address, InputError, Name, new_ulid, parse_address, printable
from gnomon.engine import ASSESS_LIMITS, LAB_LIMITS, SURVEY_LIMITS, Limits, NetworkEngine
from gnomon.evidence import EvidenceDir, Plan, RunInfo, Tool, Undelegated, ZoneSource
from gnomon.sources import (
    OptOutList,
    TrustAnchors,
    default_anchors,
    default_hints,
    parse_anchor,
    read_address_map,
    read_anchors,
    read_hints,
    read_opt_out,
)  # fmt: skip
from gnomon.survey.plan import ASSESS_PLAN, SURVEY_PLAN
from gnomon.survey.plan import Plan as SurveyPlan
from gnomon.survey.runner import Progress, identification, run_survey

Network = IPv4Network | IPv6Network
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where a run starts from and what it may touch."""

    hints: Path | None = None
    trust_anchor: Path | None = None
    allow_net: tuple[Network, ...] = ()
    vantage: str = LOCAL
    lab: Path | None = None
    undelegated: Mapping[Name, Undelegated] = field(default_factory=dict)
    opt_out: OptOutList | None = None
    send_from: tuple[Address, ...] = ()
    contact: str = ""

    def __post_init__(self) -> None:
        """Refuse what a lab brings itself, and a folder that is no lab.

        Raises:
            InputError: says which option to leave out, or how to make a lab.
        """
        if self.vantage != printable(self.vantage).strip() or " " in self.vantage or not self.vantage:
            raise InputError(f"--vantage {self.vantage!r} is not one word, such as the name of a city or network")
        if self.lab is None:
            return
        if self.hints or self.trust_anchor or self.allow_net or self.send_from:
            raise InputError("a lab brings its own hints, trust anchor and addresses: leave out --hints, "
                             "--trust-anchor, --allow-net and --send-from, or --lab")  # fmt: skip
        for name in ("world.jsonl", "addresses.csv", "hints.zone", "trust-anchor.ds"):
            if not (self.lab / name).is_file():
                raise InputError(f"{self.lab} is no lab: it has no {name}; make one with `gnomon lab build`")


@dataclass(frozen=True, slots=True)
class Manner:
    """How fast and how much is asked."""

    limits: Limits
    plan: SurveyPlan
    turn_ms: int = 0


ASSESS = Manner(ASSESS_LIMITS, ASSESS_PLAN)
SURVEY = Manner(SURVEY_LIMITS, SURVEY_PLAN, turn_ms=200)  # the time between four queries to a server
LAB = Manner(LAB_LIMITS, SurveyPlan())


def measuring_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where a run starts from."""
    for option in (
        click.option(
            "--opt-out", type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Networks, servers and zones that are not asked: lines prefix PREFIX, server NAME, zone NAME.",
        ),
        click.option(
            "--send-from", multiple=True, metavar="ADDRESS",
            help="This host's address to send from, one of each IP version (repeatable). Default: the system's choice.",
        ),
        click.option(
            "--contact", default="", metavar="TEXT", help="How whoever sees the queries reaches you; kept in run.json."
        ),
        click.option("--vantage", default=LOCAL, show_default=True, help="Where this is measured from, in one word."),
        click.option(
            "--allow-net", multiple=True, metavar="PREFIX",
            help="Special-purpose addresses that may be asked all the same (repeatable).",
        ),
        click.option(
            "--trust-anchor", type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="DS or DNSKEY records of the root, or IANA's root-anchors.xml. Default: the packaged anchors.",
        ),
        click.option(
            "--hints", type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Root hints in master file format. Default: the packaged hints.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


def networks(prefixes: Sequence[str]) -> tuple[Network, ...]:
    """The prefixes of --allow-net.

    Raises:
        InputError: not a prefix.
    """
    try:
        return tuple(ip_network(prefix) for prefix in prefixes)
    except ValueError as error:
        raise InputError(f"--allow-net: {error}; write for example 192.0.2.0/24") from None


def circumstances(
    hints: Path | None,
    trust_anchor: Path | None,
    vantage: str,
    lab: Path | None,
    *,
    allow_net: Sequence[str],
    opt_out: Path | None,
    send_from: Sequence[str],
    contact: str,
    undelegated: Mapping[Name, Undelegated] | None = None,
) -> Circumstances:
    """What the options say.

    Raises:
        InputError: one that cannot be read, or that does not go with the others.
    """
    return Circumstances(
        hints, trust_anchor, networks(allow_net), vantage, lab, undelegated or {},
        opt_out=read_opt_out(opt_out) if opt_out else None,
        send_from=tuple(parse_address(address) for address in send_from),
        contact=printable(contact),
    )  # fmt: skip


def given_delegation(zone: Name, ns: Sequence[str], ds: Sequence[str]) -> Undelegated:
    """The delegation of --ns NAME[/ADDR] and --ds TAG,ALG,TYPE,DIGEST.

    Raises:
        InputError: a name, address or DS that cannot be read.
    """
    for text in ns:
        name, slash, address = text.partition("/")
        try:
            Name.from_text(name)
            if slash:
                parse_address(address)
        except InputError as error:
            raise InputError(f"--ns {text!r}: {error}; write NAME or NAME/ADDRESS") from None
    records = []
    for text in ds:
        parts = text.split(",")
        if len(parts) != 4:
            raise InputError(f"--ds {text!r} is not TAG,ALGORITHM,TYPE,DIGEST")
        records.append(str(parse_anchor(f"{zone} IN DS {' '.join(parts)}")))
    return Undelegated(tuple(ns), tuple(records))


def new_run(where: Path, zones: Sequence[Name], source: ZoneSource, at: Circumstances, manner: Manner) -> EvidenceDir:
    """Create the evidence directory of a run over `zones`.

    Raises:
        InputError: an input that cannot be read, or a directory that is not empty.
    """
    lab = at.lab
    hints_file = lab / "hints.zone" if lab else at.hints
    hints = read_hints(hints_file) if hints_file else default_hints()
    anchors = _anchors(lab / "trust-anchor.ds" if lab else at.trust_anchor)
    now = datetime.now(UTC)
    run = RunInfo(
        run_id=new_ulid(int(now.timestamp() * 1000)),
        tool=Tool("gnomon", __version__),
        started_at=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        vantage=at.vantage,
        source=source,
        plan=Plan(manner.plan.digest, manner.plan.codes),
        limits=asdict(manner.limits),
        hints={str(name): tuple(map(str, addresses)) for name, addresses in hints.servers.items()},
        trust_anchors=tuple(str(anchor) for anchor in anchors.at(int(now.timestamp()))),
        undelegated={str(zone): given for zone, given in at.undelegated.items()},
        address_map_sha256=sha256((lab / "addresses.csv").read_bytes()).hexdigest() if lab else None,
        identification=identification(at.contact),
        send_from=tuple(map(str, at.send_from)),
        opt_out=at.opt_out.provenance if at.opt_out else None,
    )
    return EvidenceDir.create(where, run, zones)


def _anchors(path: Path | None) -> TrustAnchors:
    return read_anchors(path) if path else default_anchors()


def measure(
    evidence: EvidenceDir, at: Circumstances, manner: Manner, tell: Callable[[Progress], None] | None
) -> Progress:
    """Run (or resume) the survey of an evidence directory, against the live DNS or the lab."""
    if evidence.run.opt_out is not None and at.opt_out is None:
        raise InputError(f"{evidence.path} was begun with an opt-out list; name it or a newer one with --opt-out")
    opt_out = at.opt_out.opt_out if at.opt_out else None
    if at.lab is None:
        if evidence.run.address_map_sha256 is not None:
            raise InputError(f"{evidence.path} was begun against a lab; name it again, with --lab")
        with NetworkEngine(
            manner.limits, allow_net=at.allow_net, opt_out=opt_out, local=at.send_from, turn_ms=manner.turn_ms
        ) as engine:
            return run_survey(evidence, engine, plan=manner.plan, progress=tell)
    from gnomon.lab.process import LabProcess  # the lab signs and serves, which takes long to import

    mapped = read_address_map(at.lab / "addresses.csv")
    if evidence.run.address_map_sha256 != mapped.provenance.sha256:
        begun = "the live DNS; leave --lab out" if evidence.run.address_map_sha256 is None else "another lab; name that"
        raise InputError(f"{evidence.path} was not begun against the lab in {at.lab} but against {begun}")
    with LabProcess(at.lab) as running:
        loopback = {real: (str(target), running.port) for real, target in mapped.loopback.items()}
        with NetworkEngine(manner.limits, opt_out=opt_out, address_map=loopback) as engine:
            return run_survey(evidence, engine, plan=manner.plan, progress=tell)


def survey_note(progress: Progress) -> str:
    """What a survey's progress line says besides the count."""
    return f"{progress.exchanges:,} exchanges, {progress.exchanges_per_s:,.0f}/s"
