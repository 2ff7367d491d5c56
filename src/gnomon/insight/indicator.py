"""Indicators: one number over a whole population, with numerator, denominator, unknown share and method digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.base import Broken, InputError

if TYPE_CHECKING:
    import duckdb

_METHODS = Path(__file__).parent / "indicators"


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of an indicator's population: `numerator` of `denominator` objects."""

    label: str
    numerator: int
    denominator: int

    @property
    def share(self) -> float | None:
        """Numerator over denominator, 0 to 1; None when nothing was counted."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Method:
    """How an indicator is computed: the head of its SQL file, the query, and the digest of the file."""

    id: str
    title: str
    group: str
    unit: str
    definition: str
    source: str
    better: str
    sql: str
    digest: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A method applied to one run. `unknown` counts objects that could not be judged and are in no denominator."""

    method: Method
    run_id: str
    population: str
    numerator: int
    denominator: int
    unknown: int
    slices: tuple[Slice, ...]

    @property
    def id(self) -> str:
        return self.method.id

    @property
    def title(self) -> str:
        return self.method.title

    @property
    def group(self) -> str:
        return self.method.group

    @property
    def value(self) -> float | None:
        """The share in percent, or None when the denominator is zero."""
        return 100 * self.numerator / self.denominator if self.denominator else None

    @property
    def text(self) -> str:
        """The value as people read it: `72.4 % (1,041 of 1,438)`."""
        if self.value is None:
            return "no data (0 of 0)"
        return f"{self.value:.1f} % ({self.numerator:,} of {self.denominator:,})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self)
        plain["value_percent"] = self.value
        del plain["method"]["sql"]
        return plain


_HEAD = ("id", "title", "group", "unit", "definition", "source", "better")


def methods() -> tuple[Method, ...]:
    """All packaged methods, in order of group and id.

    Raises:
        Broken: a method file lacks a head line.
    """
    found = [_method(file.name, file.read_text("utf-8")) for file in _METHODS.glob("*.sql")]
    return tuple(sorted(found, key=lambda m: (_GROUPS.index(m.group), m.id)))


_GROUPS = ["security", "stability", "reliability", "resiliency", "interoperability", "quality"]


def _method(name: str, text: str) -> Method:
    head: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        first, colon, rest = line[2:].strip().partition(": ")
        if colon and first in _HEAD:
            key = first
            head[key] = rest
        elif key:
            head[key] += " " + line[2:].strip()
    missing = [key for key in _HEAD if key not in head]
    if missing or head["group"] not in _GROUPS:
        raise Broken(f"indicator file {name}: the head lacks {', '.join(missing) or 'a known group'}")
    return Method(**head, sql=text, digest=hashlib.sha256(text.encode()).hexdigest())


def compute(evidence: Path, run_id: str, profile: str = "default", only: str | None = None) -> tuple[Indicator, ...]:
    """Every indicator (or the one called `only`) over a judged run.

    Raises:
        InputError: the run has no verdicts or tables yet, or no indicator is called `only`.
    """
    chosen = [m for m in methods() if only in (None, m.id)]
    if not chosen:
        raise InputError(f"there is no indicator {only!r}; known: {', '.join(m.id for m in methods())}")
    with open_tables(evidence, profile) as db:
        zones = _one(db, "SELECT count(*) FROM zones")
        return tuple(_apply(db, method, run_id, f"{zones:,} zones of run {run_id}") for method in chosen)


@contextmanager
def open_tables(evidence: Path, profile: str = "default") -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the views `zones`, `servers`, `keys` and `verdicts` over the run's Parquet files.

    Raises:
        InputError: a file is missing or, at any time while the database is open, found to be damaged; says which
            command writes it.
    """
    import duckdb  # a large library; what writes the tables does not need it

    files = {name: evidence / "tables" / f"{name}.parquet" for name in ("zones", "servers", "keys")}
    files["verdicts"] = evidence / "verdicts" / f"{profile}.parquet"
    for file in files.values():
        if not file.is_file():
            raise InputError(f"{evidence} has no {file.relative_to(evidence)}; run: gnomon judge {evidence}")
    try:
        with duckdb.connect() as db:
            for name, file in files.items():
                # DDL takes no parameters; read_parquet's argument is an SQL string, and in it a pattern of file names.
                quoted = re.sub(r"[*?\[]", r"[\g<0>]", str(file)).replace("'", "''")
                db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{quoted}')")
            yield db
    except duckdb.Error as error:
        what = str(error).partition("\n")[0]
        raise InputError(
            f"the verdicts or tables of {evidence} cannot be read ({what}); run: gnomon judge {evidence}"
        ) from None


def _apply(db: duckdb.DuckDBPyConnection, method: Method, run_id: str, population: str) -> Indicator:
    rows = db.execute(method.sql).fetchall()
    totals = [row for row in rows if row[0] == ""]
    if len(totals) != 1:
        raise Broken(f"indicator {method.id} gives {len(totals)} total rows; its query must give one with slice ''")
    slices = sorted((Slice(str(s), int(n), int(d)) for s, n, d, _ in rows if s != ""), key=_slice_order)
    _, numerator, denominator, unknown = totals[0]
    return Indicator(method, run_id, population, int(numerator), int(denominator), int(unknown), tuple(slices))


def _slice_order(part: Slice) -> tuple[int, int, str]:
    # Histogram bins (labels that begin with a number) in order of the number, everything else by size.
    number = part.label.split()[0]
    return (0, int(number), part.label) if number.isdigit() else (1, -part.numerator, part.label)


def _one(db: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    return int(row[0]) if row else 0
