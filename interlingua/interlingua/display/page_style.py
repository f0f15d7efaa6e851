"""How the page looks: colours of both schemes, once, and rules that name them.

SCHEMES --> variables, dark ones under prefers-color-scheme --> STYLE
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HEAT_STEPS = 10

Colour = tuple[int, int, int]


class Scheme(NamedTuple):
    """Colours, red, green, blue.

    Attributes:
        heat, worse: the full strength of a cell; paler ones are mixed with the paper.
        series: of lines and points, which shape tells apart as well.
    """

    ink: Colour
    faint: Colour
    paper: Colour
    line: Colour
    accent: Colour
    heat: Colour
    worse: Colour
    series: tuple[Colour, ...]


LIGHT = Scheme(
    ink=(26, 28, 32),
    faint=(88, 94, 104),
    paper=(255, 255, 255),
    line=(205, 210, 218),
    accent=(20, 94, 168),
    heat=(122, 182, 232),
    worse=(240, 166, 104),
    series=(
        (20, 94, 168),
        (190, 70, 10),
        (24, 122, 84),
        (150, 60, 150),
        (130, 105, 0),
        (190, 40, 70),
        (70, 80, 95),
        (0, 125, 140),
    ),
)
DARK = Scheme(
    ink=(232, 234, 238),
    faint=(168, 175, 186),
    paper=(22, 24, 28),
    line=(70, 76, 86),
    accent=(122, 184, 245),
    heat=(28, 92, 150),
    worse=(146, 78, 20),
    series=(
        (106, 172, 240),
        (240, 140, 70),
        (90, 200, 150),
        (216, 140, 220),
        (214, 190, 80),
        (245, 120, 140),
        (178, 188, 202),
        (70, 200, 212),
    ),
)

_RULES = """
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:1rem;background:rgb(var(--paper));color:rgb(var(--ink));
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25}
h2{font-size:1.25rem;margin:2.5rem 0 .25rem;border-top:1px solid rgb(var(--line));padding-top:1rem}
h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
a{color:rgb(var(--accent))}
nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1rem}
.how,.note{color:rgb(var(--faint));max-width:45rem;margin:.25rem 0 .75rem}
.note{font-size:.875rem}
.scroll{overflow-x:auto;max-width:100%;margin:.5rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem;overflow-wrap:normal}
caption{text-align:left;font-weight:600;padding:.25rem 0;overflow-wrap:anywhere}
th,td{border:1px solid rgb(var(--line));padding:.25rem .5rem;text-align:right;vertical-align:top}
th{text-align:left;font-weight:600}
tbody th{position:sticky;left:0;background:rgb(var(--paper));max-width:14rem;overflow-wrap:break-word}
.name{text-align:left}
.prose td{text-align:left;min-width:6rem;max-width:30rem;overflow-wrap:anywhere}
td small,th small{display:block;color:rgb(var(--faint));white-space:nowrap}
[class*=heat] small,[class*=worse] small{color:inherit}
.strong{font-weight:700;outline:2px solid rgb(var(--ink));outline-offset:-2px}
td.strong:not([class*=heat]):not([class*=worse]){outline:none}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.25rem 0}
ol,ul{padding-left:1.25rem}
.warning{border-left:.25rem solid rgb(var(--worse));padding-left:.5rem}
.figures{display:flex;flex-wrap:wrap;gap:1rem}
figure{margin:.5rem 0;width:100%;max-width:30rem}
figcaption{font-weight:600;font-size:.9rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:rgb(var(--ink));font:11px system-ui,sans-serif}
svg .axis{stroke:rgb(var(--faint))}
svg .grid{stroke:rgb(var(--line))}
svg .bar{fill:rgb(var(--heat));stroke:rgb(var(--accent))}
svg .mark{stroke:rgb(var(--ink));stroke-width:3}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.9rem}
.legend svg{display:inline-block;width:1.75rem;height:.9rem;vertical-align:middle;margin-right:.3rem}
@media print{body{max-width:none;font-size:10pt}nav{display:none}.scroll{overflow:visible}
tbody th{position:static}section,figure,tr{break-inside:avoid}section{break-inside:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""


def style() -> str:
    """The page's CSS."""
    dark = f"@media screen and (prefers-color-scheme:dark){{{_variables(DARK)}}}"
    return "\n".join([_variables(LIGHT), dark, _RULES.strip(), _heats(), _series(len(LIGHT.series))])


def _variables(scheme: Scheme) -> str:
    named: Mapping[str, Colour | tuple[Colour, ...]] = scheme._asdict()
    colours = {name: value for name, value in named.items() if name != "series"}
    colours |= {f"series{number}": colour for number, colour in enumerate(scheme.series)}
    return ":root{" + "".join(f"--{name}:{' '.join(map(str, value))};" for name, value in colours.items()) + "}"


def _heats() -> str:
    """Classes heat0 to heat10 and worse0 to worse10."""
    return "\n".join(
        f".{name}{step}{{background:rgb(var(--{name})/{step / HEAT_STEPS:g})}}"
        for name in ("heat", "worse")
        for step in range(HEAT_STEPS + 1)
    )


def _series(number: int) -> str:
    return "\n".join(f".series{one}{{color:rgb(var(--series{one}))}}" for one in range(number))
