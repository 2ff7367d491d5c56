"""Pages of what was measured: from the list of zones down to one packet."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from gnomon.base import InputError, Level, Name, Rcode
from gnomon.engine import Status
from gnomon.evidence import Exchange
from gnomon.review.measurements import PROPERTIES, TROUBLE, Measurements, Row
from gnomon.review.pages.route import page
from gnomon.review.reviews.queries import reviews_to_draft_in
from gnomon.review.zones.forms import ZoneFilterForm
from gnomon.review.zones.models import Run
from gnomon.review.zones.queries import Rule, current_run, measurements_of, question_text, rules
from gnomon.wire import Message
from gnomon.wire.presentation import CLASS_NAMES, dig, hexdump

# Exchanges listed under one verdict before the rest is only counted.
SHOWN_REFS = 24


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """One of the five rows of a zone page: the worst level, and how many checks came out how."""

    name: str
    worst: Level
    checks: dict[Level, int]

    @property
    def evaluated(self) -> int:
        return sum(self.checks.values()) - self.checks[Level.NOT_APPLICABLE] - self.unknown

    @property
    def unknown(self) -> int:
        return self.checks[Level.UNKNOWN]

    @property
    def fine(self) -> int:
        return self.checks[Level.PASS] + self.checks[Level.INFO]


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange behind a verdict: how to open it, and what it was in a line."""

    ref: str
    segment: str
    row: int
    exchange: Exchange
    question: str
    outcome: str


def _run_and_measurements() -> tuple[Run, Measurements]:
    run = current_run()
    if run is None:
        raise InputError("no measured run is attached to this instance yet")
    return run, measurements_of(run)


@page("see", "measurement")
def zones(request: HttpRequest) -> HttpResponse:
    """All measured zones, filtered."""
    run, measured = _run_and_measurements()
    form = ZoneFilterForm(request.GET)
    wanted = form.wanted()
    found = measured.zones(wanted)
    query = request.GET.copy()
    for field in [field for field, value in request.GET.items() if not value or field == "page"]:
        del query[field]
    context = {
        "run": run, "form": form, "wanted": wanted, "found": found, "query": query.urlencode(),
        "trouble": TROUBLE, "rule": rules().get(wanted.check), "is_filtered": bool(query),
    }  # fmt: skip
    return render(request, "zones/zones.html", context)


@page("see", "measurement")
def look_up(request: HttpRequest) -> HttpResponse:
    """From the search box: straight to a zone that is known, else to the zones whose names are like it."""
    text = request.GET.get("q", "").strip()
    if not text:
        return redirect("zones")
    try:
        name = str(Name.from_text(text)).lower()
    except InputError as error:
        return render(request, "pages/error.html", {"status": 404, "why": str(error)}, status=404)
    _, measured = _run_and_measurements()
    if measured.has_zone(name):
        return redirect("zone", name)
    query = QueryDict(mutable=True)
    query["text"] = name.removesuffix(".")
    return redirect(f"{reverse('zones')}?{query.urlencode()}")


@page("see", "measurement")
def zone(request: HttpRequest, zone: str) -> HttpResponse:
    """One zone: five properties, what to do, all checks."""
    run, measured = _run_and_measurements()
    verdicts = measured.zone(zone)
    if not verdicts:
        raise InputError(f"{zone} was not measured in the run {run.run_id}")
    by_check: dict[str, list[Row]] = {}
    for row in verdicts:
        by_check.setdefault(row.check_id, []).append(row)
    todo = [(row, rules().get(row.check_id)) for row in verdicts if row.level in TROUBLE]
    groups: dict[Level, list[tuple[Row, int]]] = {}
    for _, rows in sorted(by_check.items(), key=lambda item: (-item[1][0].level, item[0])):
        groups.setdefault(rows[0].level, []).append((rows[0], len(rows)))
    context = {
        "run": run, "zone": zone, "rows": _property_rows(by_check), "worst": verdicts[0].level,
        "first": todo[:5], "rest": todo[5:], "trouble": len(todo),
        "groups": groups.items(), "checks": len(by_check),
    }  # fmt: skip
    return render(request, "zones/zone.html", context)


def _property_rows(by_check: dict[str, list[Row]]) -> list[PropertyRow]:
    found = []
    for name in PROPERTIES:
        counts = dict.fromkeys(Level, 0)
        for rows in by_check.values():
            if rows[0].properties[0] == name:
                counts[rows[0].level] += 1
        worst = max((level for level, n in counts.items() if n), default=Level.NOT_APPLICABLE)
        found.append(PropertyRow(name, worst, counts))
    return found


@page("see", "measurement")
def verdict(request: HttpRequest, check_id: str, zone: str) -> HttpResponse:
    """What one check found in one zone, with every exchange it rests on."""
    run, measured = _run_and_measurements()
    verdicts = measured.verdicts(zone, check_id)
    if not verdicts:
        raise InputError(f"the check {check_id} has no verdict on {zone} in the run {run.run_id}")
    shown = [
        (row, [_seen(measured, ref) for ref in row.evidence[:SHOWN_REFS]], len(row.evidence) - SHOWN_REFS)
        for row in verdicts
    ]
    context = {
        "run": run, "zone": zone, "check_id": check_id, "rule": rules().get(check_id), "shown": shown,
        "reviews_open": reviews_to_draft_in(request.user) if verdicts[0].level in TROUBLE else [],
    }  # fmt: skip
    return render(request, "zones/verdict.html", context)


def _seen(measured: Measurements, ref: str) -> Seen:
    exchange = measured.exchange(ref)
    segment, _, row = ref.partition(":")
    return Seen(ref, segment, int(row), exchange, question_text(exchange), outcome_text(exchange))


def outcome_text(exchange: Exchange) -> str:
    """How an exchange ended, in a few words."""
    if exchange.status is not Status.ANSWERED or exchange.response is None:
        return exchange.status.word.replace("-", " ")
    message = Message(exchange.response)
    flags = [word for word, is_set in (("AA", message.aa), ("TC", message.tc)) if is_set]
    answers = message.counts[1]
    records = "1 answer record" if answers == 1 else f"{answers:,} answer records"
    took = "" if exchange.rtt_us is None else f" in {exchange.rtt_us / 1000:.1f}\N{NO-BREAK SPACE}ms"
    return f"{Rcode(message.rcode)}{''.join(f' {flag}' for flag in flags)}, {records}{took}"


@page("see", "measurement")
def packet(request: HttpRequest, run_id: str, segment: str, row: int) -> HttpResponse:
    """One exchange: what was sent, what came back, under which circumstances, and how to check that."""
    run = get_object_or_404(Run, run_id=run_id)
    measured = measurements_of(run)
    exchange = measured.exchange(f"{segment}:{row}")
    query = Message(exchange.query)
    context = {
        "run": run, "exchange": exchange, "ref": exchange.ref, "manifest": measured.segment(exchange),
        "question": question_text(exchange), "outcome": outcome_text(exchange),
        "query_text": dig(query), "query_hex": hexdump(exchange.query), "asked": query.question,
        # In a simulated world the addresses are real ones of somebody else, who must not be asked.
        "repeat": "" if run.simulated else repeat_command(exchange, query),
        "folder": measured.directory.name,
    }  # fmt: skip
    if exchange.response is not None:
        context |= {"response_text": dig(Message(exchange.response)), "response_hex": hexdump(exchange.response)}
    return render(request, "zones/packet.html", context)


def repeat_command(exchange: Exchange, query: Message) -> str:
    """A dig command that asks about the same thing again; empty if the query has no question."""
    question = query.question
    if question is None:
        return ""
    parts = ["dig", "+norecurse" if not query.rd else "+recurse", "+tcp" if exchange.transport else "+notcp"]
    edns = query.edns
    parts += ["+noedns"] if edns is None else [f"+bufsize={edns.udp_size_octets}", f"+edns={edns.version}"]
    parts += ["+dnssec"] if edns is not None and edns.do else []
    parts += [f"@{exchange.address}", f"-p {exchange.port}"] if exchange.port != 53 else [f"@{exchange.address}"]
    # Within single quotes a shell takes everything as it is but the quote itself.
    name = str(question.name).replace("'", "'\\''")
    qclass = CLASS_NAMES.get(question.qclass, f"CLASS{question.qclass}")
    return " ".join([*parts, f"-c {qclass}", f"-t {question.qtype}", f"-q '{name}'"])


@page("see", "measurement")
def checks(request: HttpRequest) -> HttpResponse:
    """The published checks of one family (`?family=`), or those with trouble in the run; and the families."""
    run, chosen = current_run(), request.GET.get("family", "")
    failing = measurements_of(run).trouble() if run is not None else {}
    families: dict[str, list[tuple[Rule, tuple[Level, int] | None]]] = {}
    for id, rule in rules().items():
        families.setdefault(rule.check.family, []).append((rule, failing.get(id)))
    if chosen not in families:
        chosen = ""
    troubled = {family: [pair for pair in of if pair[1]] for family, of in families.items()}
    context = {
        "run": run, "total": len(rules()), "chosen": chosen, "families": {f: len(of) for f, of in families.items()},
        "shown": {chosen: families[chosen]} if chosen else {family: of for family, of in troubled.items() if of},
    }  # fmt: skip
    return render(request, "zones/checks.html", context)


@page("see", "measurement")
def check(request: HttpRequest, check_id: str) -> HttpResponse:
    """One published check: its rule, and how it came out in the run."""
    rule = rules().get(check_id)
    if rule is None:
        raise InputError(f"there is no check {check_id}")
    run = current_run()
    counts = measurements_of(run).code_counts(check_id) if run is not None else ()
    seen = {count.code for count in counts}
    context = {
        "rule": rule, "run": run, "counts": [(count, rule.check.codes.get(count.code, "")) for count in counts],
        "others": [(code, text) for code, text in rule.check.codes.items() if code not in seen],
    }  # fmt: skip
    return render(request, "zones/check.html", context)


@page("see", "measurement")
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """One attached run: where it came from, how it was made, how to verify it."""
    found = get_object_or_404(Run, run_id=run_id)
    measured = measurements_of(found)
    first, last = measured.observed()
    context = {
        "run": found, "info": measured.run, "first": first, "last": last, "levels": measured.levels(),
        "manifests": measured.store.manifests(), "folder": measured.directory.name,
        "exchanges": sum(m.rows for m in measured.store.manifests()), "counts": measured.code_counts()[:25],
    }  # fmt: skip
    return render(request, "zones/run.html", context)
