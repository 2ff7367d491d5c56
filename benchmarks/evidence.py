"""What keeping evidence costs: CPU and octets per exchange, and what a kill makes a survey repeat.

    python benchmarks/evidence.py [--tlds 150] [--exchanges 200000] [--json FILE]

The lab serves TLDs, most of them signed (ECDSA P-256), on loopback; they are surveyed, and what the survey recorded is
stored again and verified, in one thread, until so many exchanges are done. CPU is what the operating system accounts
to this process.
"""

from __future__ import annotations

import argparse
import bisect
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from results import Row, write_json

from gnomon._core import Recording
from gnomon.base import Address, Name
from gnomon.base.codes import RRSIG
from gnomon.cli.lab import build_world
from gnomon.cli.measure import LAB, Circumstances, new_run
from gnomon.engine import SURVEY_LIMITS, NetworkEngine
from gnomon.evidence import EvidenceDir, Exchange, RunInfo, ZoneSource, verify
from gnomon.evidence.row import record
from gnomon.evidence.subject import ZONE
from gnomon.lab.process import LabProcess
from gnomon.lab.store import save
from gnomon.sources import read_address_map
from gnomon.survey.runner import run_survey
from gnomon.wire import Message

SEGMENT_ROWS = 20_000
# Type covered to key tag, before the signer's name (RFC 4034 section 3.1).
RRSIG_FIXED_OCTETS = 18


def surveyed(folder: Path, tlds: int) -> EvidenceDir:
    """The evidence of a survey of lab TLDs over loopback."""
    world = build_world(None, tlds)
    save(world, folder / "lab")
    source = ZoneSource("lab", "benchmark", None, None, tlds)
    store = new_run(folder / "survey", world.population, source, Circumstances(lab=folder / "lab"), LAB)
    mapped = read_address_map(folder / "lab" / "addresses.csv").loopback
    with LabProcess(folder / "lab") as serving:
        loopback: dict[Address, tuple[str, int]] = {a: (str(to), serving.port) for a, to in mapped.items()}
        with NetworkEngine(LAB.limits, address_map=loopback) as engine:
            run_survey(store, engine, plan=LAB.plan)
    return EvidenceDir.open(folder / "survey")


def stored(path: Path, run: RunInfo, exchanges: Iterable[Exchange]) -> tuple[EvidenceDir, float]:
    """The exchanges in a directory of their own, and the CPU seconds that writing took."""
    recordings: dict[str, Recording] = {}
    for exchange in exchanges:
        record(recordings.setdefault(exchange.subject, Recording(exchange.subject)), exchange)
    zones = {subject: Name.from_text(subject[len(ZONE) :]) for subject in recordings if subject.startswith(ZONE)}
    evidence = EvidenceDir.create(path, run, zones.values())
    start_s = time.process_time()
    with evidence.writer() as writer:
        for subject, recording in recordings.items():
            writer.add_recording(recording)
            if subject in zones:
                writer.finish_zone(zones[subject])
            if writer.ready_rows >= SEGMENT_ROWS:
                writer.flush()
    return EvidenceDir.open(path), time.process_time() - start_s


def octets(evidence: EvidenceDir) -> int:
    return sum(manifest.file_size_octets for manifest in evidence.manifests())


def signatures(exchange: Exchange) -> Iterator[bytes]:
    """The signatures in the response."""
    message = Message(exchange.response or b"")
    for record_ in (*message.answer, *message.authority):
        if record_.rtype == RRSIG:
            signer = record_.rdata.find(b"\0", RRSIG_FIXED_OCTETS)
            yield record_.rdata[signer + 1 :]


def repeated_exchanges(evidence: EvidenceDir) -> int:
    """The most exchanges that were sent and not yet stored at one time: what a kill at that time repeats."""
    times = [sorted(x.sent_at_ns for x in evidence.read_segment(manifest)) for manifest in evidence.manifests()]
    worst = 0
    for index, own in enumerate(times):
        if own:
            # Just before a segment is stored, it and all after it are not.
            worst = max(worst, sum(bisect.bisect_right(later, own[-1]) for later in times[index:]))
    return worst


def measure(folder: Path, args: argparse.Namespace) -> Iterator[Row]:
    survey = surveyed(folder, args.tlds)
    exchanges = list(survey.exchanges())
    write_s = verify_s = 0.0
    done = number = 0
    while done < args.exchanges:
        number += 1
        again, cpu_s = stored(folder / f"again-{number}", survey.run, exchanges)
        write_s += cpu_s
        start_s = time.process_time()
        report = verify(again.path)
        verify_s += time.process_time() - start_s
        done += report.rows
        if report.problems:
            raise SystemExit(f"what was just stored has problems: {report.problems[0]}")
    yield Row("written per second and core", done / write_s, "exchanges", ">= 200000")
    yield Row("verified per second and core", done / verify_s, "exchanges", ">= 300000")
    yield Row("a survey's evidence per exchange", octets(survey) / len(exchanges), "octets")
    signed = [(x, found) for x in exchanges if x.response and (found := list(signatures(x)))]
    only, _ = stored(folder / "signed", survey.run, [x for x, _ in signed])
    different = {one for _, found in signed for one in found}
    yield Row("signed answers, share of the exchanges", len(signed) / len(exchanges), "times")
    yield Row("signed answers, evidence per exchange", octets(only) / len(signed), "octets", "<= 120")
    share = sum(map(len, different)) / len(signed)
    yield Row("signed answers, different signatures per exchange", share, "octets")
    repeated = repeated_exchanges(survey)
    yield Row("most exchanges that a kill repeats", repeated, "exchanges")
    yield Row("the same at the limit of a survey", repeated / SURVEY_LIMITS.total_qps, "s", "<= 60")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tlds", type=int, default=150)
    parser.add_argument("--exchanges", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="gnomon-evidence-") as folder:
        for row in measure(Path(folder), args):
            print(f"{row.name:52} {row.value:12,.1f} {row.unit:10} {row.target}", flush=True)
            rows.append(row)
    if args.json:
        write_json(args.json, "evidence", rows)


if __name__ == "__main__":
    main()
