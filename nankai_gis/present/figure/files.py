"""A figure as a file: PNG, SVG or PDF, the same bytes for the same figure."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from nankai_gis.errors import NotFoundError
from nankai_gis.words import tr

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Form = Literal["png", "svg", "pdf"]
FORMATS: tuple[Form, ...] = get_args(Form)
#: In an SVG: what a path is, its fractions, and a path that stands twice with two looks.
_OUTLINE, _DECIMALS = re.compile(r' d="[^"]*"'), re.compile(r"-?\d+\.\d+")
_TWICE = re.compile(r'<path d="([^"]*)" style="([^"]*)"/>\s*<path d="\1" style="([^"]*)"/>')


def known_form(name: str) -> Form:
    """Return a format by its name, or say which there are."""
    for form in FORMATS:
        if form == name:
            return form
    raise NotFoundError(tr("format of figures"), name, FORMATS)


def render(drawn: Figure, form: Form = "png") -> bytes:
    """Return a figure as a file's content."""
    import matplotlib

    form = known_form(form)
    undated: dict[str, dict[str, Any]] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    settings: dict[Any, Any] = {
        # Of the subsets of a collection, poppler warns as TrueType (42), not as Type 3.
        "pdf.fonttype": 3,
        "svg.fonttype": "path",
        "svg.hashsalt": "nankai-gis",
        "text.hinting": "none",  # letters keep their distances
    }
    target = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        drawn.savefig(target, format=form, dpi=drawn.dpi, metadata=undated[form])
    return _lean(target.getvalue()) if form == "svg" else target.getvalue()


def _lean(svg: bytes) -> bytes:
    """Return an SVG of half the size that looks the same.

    Matplotlib writes a text with a halo twice, letter by letter, and every coordinate to a
    millionth of a point.
    """
    number = itertools.count(1)

    def hundredths(path: re.Match[str]) -> str:
        return _DECIMALS.sub(lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), path[0])

    def once(pair: re.Match[str]) -> str:
        name, (outline, halo, letters) = f"haloed-{next(number)}", pair.groups()
        uses = (f'<use xlink:href="#{name}" style="{style}"/>' for style in (halo, letters))
        return f'<defs><path id="{name}" d="{outline}"/></defs>{"".join(uses)}'

    return _TWICE.sub(once, _OUTLINE.sub(hundredths, svg.decode())).encode()


def save(drawn: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure to a file, whole or not at all."""
    from nankai_gis.files.atomic import atomic_write

    form = known_form(path.suffix.lower().removeprefix("."))
    with atomic_write(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(render(drawn, form))
