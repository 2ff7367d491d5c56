"""The report's pictures as SVG text, drawn by Vega-Lite from plain specifications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import vl_convert

from gnomon.base import Level
from gnomon.insight.indicator import Indicator

Spec = dict[str, Any]

# Worst to best with rising lightness, so that the order also reads in grey print.
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
        {"property": p, "level": level.word, "zones": n, "order": shown.index(level)}
        for p, level, n in counts
        if n and level in shown
    ]
    words, colours = [x.word for x in shown], [LEVEL_COLOURS[x] for x in shown]
    return _svg(
        {
            "data": {"values": values},
            "width": _WIDTH,
            "height": 150,
            "mark": {"type": "bar", "height": 22},
            "encoding": {
                "x": {
                    "field": "zones",
                    "type": "quantitative",
                    "stack": "normalize",
                    "axis": {"format": "%", "title": "share of zones", "grid": False},
                },
                "y": {"field": "property", "title": None, "sort": list(dict.fromkeys(c[0] for c in counts))},
                "color": {
                    "field": "level",
                    "scale": {"domain": words, "range": colours},
                    "legend": {"title": "worst level", "orient": "bottom"},
                },
                "order": {"field": "order"},
            },
        }
    )


def group_picture(indicators: Sequence[Indicator]) -> str:
    """One picture for the indicators of a group: a block of bars each, in percent; the total is the dark bar."""
    return _svg({"vconcat": [_block(i) for i in indicators], "spacing": 18, "resolve": {"scale": {"y": "independent"}}})


def _block(indicator: Indicator) -> Spec:
    bars = []
    if indicator.value is not None:
        bars.append({"what": "all", "percent": indicator.value, "n": indicator.numerator, "colour": _ACCENT})
    bars += [
        {"what": s.label, "percent": 100 * s.share, "n": s.numerator, "colour": _PALE}
        for s in indicator.slices
        if s.share is not None
    ]
    for bar in bars:
        bar["label"] = f"{bar['percent']:.1f} %  ({bar['n']:,})"
    x = {"field": "percent", "type": "quantitative", "title": None, "scale": {"domain": [0, 100]}}
    y = {"field": "what", "sort": None, "title": None, "axis": {"labelLimit": 230, "ticks": False, "domain": False}}
    return {
        "data": {"values": bars},
        "width": _WIDTH,
        "height": max(18 * len(bars), 18),
        "title": {
            "text": indicator.title,
            "anchor": "start",
            "frame": "group",
            "fontSize": 14,
            "subtitle": indicator.method.unit,
            "subtitleFontSize": 12,
        },
        "encoding": {"x": {**x, "axis": {"format": "d", "tickCount": 5, "grid": False}}, "y": y},
        "layer": [
            {
                "mark": {"type": "bar", "height": 11},
                "encoding": {"color": {"field": "colour", "type": "nominal", "scale": None}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": _INK},
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }


def _svg(spec: Spec) -> str:
    config = {
        "font": _FONT,
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": 12,
            "titleFontSize": 12,
            "labelColor": _INK,
            "titleColor": _INK,
            "domainColor": "#b0b0b0",
        },
        "legend": {"labelFontSize": 12, "titleFontSize": 12},
        "title": {"color": _INK, "subtitleColor": "#555555"},
    }
    # No network is needed or allowed: all data are in the specification.
    return str(vl_convert.vegalite_to_svg({**spec, "config": config}, allowed_base_urls=[]))
