"""Pictures as inline SVG: matplotlib draws them, the page's style sheet colours them.

matplotlib is imported inside: the runners import this module.
"""

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

# What matplotlib is told, and what stands in the page instead: a variable of its style sheet,
# which is another one in the dark.
INK, FAINT, ACCENT, OTHER, WARN, PAPER = (f"#01020{digit}" for digit in range(3, 9))
_VARIABLES = {
    INK: "ink", FAINT: "line", ACCENT: "accent", OTHER: "other", WARN: "warn", PAPER: "paper"
}  # fmt: skip

WIDTH = 350  # pixels; a card is about that wide, on a phone a little less
FONT_SIZE = 12
_DPI = 72  # of SVG: a point is a pixel

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "sentiflow",  # the same picture is the same file
    "text.parse_math": False,  # a label may hold a $
    "font.size": FONT_SIZE,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": FONT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": FONT_SIZE,
    "lines.linewidth": 2,
}
# XML cannot hold these.
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF], "\ufffd")
_COLOUR = re.compile("#01020[3-8]")
_FONT = re.compile("font-family: [^;]*;? ?")
_REFERENCE = re.compile(r"(?<=#)[\w-]+")


@dataclass(frozen=True)
class Chart:
    """A picture and what it shows in words."""

    title: str
    svg: Markup
    note: str = ""
    wide: bool = False  # too wide for a phone, where one scrolls


def draw(
    title: str,
    plot: Callable[[Any], None],
    height: float,
    *,
    width: float = WIDTH,
    note: str = "",
    told: str = "",
) -> Chart:
    """Draws a picture.

    Args:
      title: stands above it.
      plot: draws on the matplotlib Axes that it is given.
      height: pixels.
      width: pixels.
      note: stands below it.
      told: what a reader who does not see it is told besides the title.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a script that matplotlib lacks; the browser has it
        figure = Figure(figsize=(width / _DPI, height / _DPI), layout="constrained")
        plot(figure.subplots())
        file = io.BytesIO()
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=no_metadata)
    return Chart(title, _inline(file.getvalue().decode(), title, told), note, wide=width > WIDTH)


def _inline(svg: str, title: str, told: str) -> Markup:
    """Makes the SVG a part of a page: colours and font are the page's, and no id comes twice."""
    root = ElementTree.fromstring(svg.translate(_CONTROL))
    values = " ".join(v for e in root.iter() for k, v in e.attrib.items() if k != "id")
    referred = set(_REFERENCE.findall(values))
    prefix = re.sub(r"\W+", "-", title.lower())
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # HTML knows the namespaces
        own_id = element.attrib.pop("id", None)
        element.attrib = {
            key.rpartition("}")[2]: _value(value, prefix) for key, value in element.attrib.items()
        }
        if own_id in referred:
            element.set("id", f"{prefix}-{own_id}")
    for unused in ("width", "height", "version"):
        root.attrib.pop(unused)
    for defs in root.findall("defs"):
        for style in defs.findall("style"):
            defs.remove(style)
    root.attrib |= {"role": "img", "aria-label": f"{title}. {told}".strip()}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _value(value: str, prefix: str) -> str:
    """An attribute's value in the page."""
    value = _FONT.sub("", " ".join(value.split()))
    value = _COLOUR.sub(lambda found: f"var(--{_VARIABLES[found[0]]})", value)
    return _REFERENCE.sub(rf"{prefix}-\g<0>", value)
