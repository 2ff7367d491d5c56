"""The report's pictures, as SVG text: worst level per property, and one picture per indicator group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from gnomon.base import Level
from gnomon.insight import Indicator

# Colours carry the order worst to best with rising lightness, so they also read in grey print.
LEVEL_COLOURS = {
    Level.CRITICAL: "#7a0019",
    Level.ERROR: "#c0392b",
    Level.WARNING: "#e08e0b",
    Level.NOTICE: "#e8cf73",
    Level.INFO: "#b9cfe0",
    Level.PASS: "#6ba58b",
    Level.UNKNOWN: "#d5d5d5",
}
_ACCENT, _PALE, _INK, _FONT = "#1f5a7a", "#9dbdcf", "#1c1c1c", "system-ui, 'DejaVu Sans', sans-serif"
_WIDTH = 520


def worst_levels(counts: Sequence[tuple[str, Level, int]]) -> str:
    """Stacked bars: for each property the share of zones by their worst level.

    Args:
        counts: (property, worst level, zones).
    """
    shown = [level for level in LEVEL_COLOURS if any(c[1] == level and c[2] for c in counts)]
    values = [
        {"property": p, "level": level.word, "zones": n, "order": shown.index(level)} for p, level, n in counts if n
    ]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_bar(height=22)
        .encode(
            x=alt.X("zones:Q", stack="normalize", axis=alt.Axis(format="%", title="share of zones", grid=False)),
            y=alt.Y("property:N", title=None, sort=list(dict.fromkeys(c[0] for c in counts))),
            color=alt.Color(
                "level:N",
                scale=alt.Scale(domain=[x.word for x in shown], range=[LEVEL_COLOURS[x] for x in shown]),
                legend=alt.Legend(title="worst level", orient="bottom"),
            ),
            order="order:Q",
        )
        .properties(width=_WIDTH, height=30 * 5)
    )
    return _svg(chart)


def group_picture(indicators: Sequence[Indicator]) -> str:
    """One picture for the indicators of a group: a block of bars each, in percent; the total is the dark bar."""
    blocks = [_block(indicator) for indicator in indicators]
    return _svg(alt.vconcat(*blocks, spacing=18).resolve_scale(y="independent"))


def _block(indicator: Indicator) -> alt.LayerChart:
    bars: list[dict[str, Any]] = []
    if indicator.value is not None:
        bars.append({"what": "all", "percent": indicator.value, "n": indicator.numerator, "total": True})
    bars += [
        {"what": s.label, "percent": 100 * s.share, "n": s.numerator, "total": False}
        for s in indicator.slices
        if s.share is not None
    ]
    base = alt.Chart(alt.Data(values=bars)).encode(
        y=alt.Y("what:N", sort=None, title=None, axis=alt.Axis(labelLimit=190, ticks=False, domain=False)),
        x=alt.X(
            "percent:Q",
            scale=alt.Scale(domain=[0, 100]),
            title=None,
            axis=alt.Axis(format="d", tickCount=5, grid=False),
        ),
    )
    bar = base.mark_bar(height=11).encode(
        color=alt.condition("datum.total", alt.value(_ACCENT), alt.value(_PALE)),
    )
    label = base.mark_text(align="left", dx=4, fontSize=10, color=_INK).encode(text=alt.Text("label:N"))
    label = label.transform_calculate(label="format(datum.percent, '.1f') + ' %  (' + format(datum.n, ',') + ')'")
    title = alt.TitleParams(
        indicator.title, anchor="start", frame="group", fontSize=12, subtitle=indicator.method.unit, subtitleFontSize=10
    )
    return alt.layer(bar, label, title=title).properties(width=_WIDTH, height=max(18 * len(bars), 18))


def _svg(chart: Any) -> str:
    spec = (
        chart.configure(font=_FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(labelColor=_INK, titleColor=_INK, gridColor="#e4e4e4", domainColor="#b0b0b0")
        .configure_title(color=_INK, subtitleColor="#555555")
        .to_dict()
    )
    # No network is needed or allowed: all data are in the specification.
    return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
