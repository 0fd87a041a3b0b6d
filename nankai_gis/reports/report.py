"""The report of a plan: its sections with their pictures, as a document or a page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nankai_gis.errors import OutputError
from nankai_gis.files.atomic import atomic_write
from nankai_gis.present import figure, webmap
from nankai_gis.present.readings import side_by_side
from nankai_gis.reports import content, documents
from nankai_gis.reports.readings import READINGS
from nankai_gis.reports.sections import cleaned
from nankai_gis.studies.readings import readings
from nankai_gis.studies.study import Study, packaged
from nankai_gis.words import Language, speaking, tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.reports.readings import READINGS
from nankai_gis.reports.sections import Section

_Progress = Callable[[Sequence["Section"]], Iterable["Section"]]

#: Layers of which a section shows its own feature only, and the column that says which.
_OWN = {"zones": "id", "parcel": "id", "corridors": "corridor"}
#: Width and height in millimetres of the figures in a document: of the whole plan, with a legend,
#: and of one feature.
_WHOLE, _ONE = (140.0, 165.0), (125.0, 118.0)


def report(
    path: str | os.PathLike[str],
    study: Study | None = None,
    *,
    lang: Language = "zh-Hant",
    title: str | None = None,
    review: str | None = None,
    overwrite: bool = False,
    progress: _Progress = iter,
) -> Path:
    """Write the report of a plan.

    Parameters
    ----------
    path : str or path-like
        A ``.docx`` (Word document) or ``.html`` (standalone page) file.
    study : Study, optional
        Of another plan; the packaged one by default.
    lang : {'zh-Hant', 'zh-Hans', 'en'}
    title : str, optional
        Another title.
    review : str, optional
        Map review number (審圖號); without one the maps say 內部使用.
    overwrite : bool
        Whether an existing file may be replaced.
    progress : callable
        Takes the sections with a picture and gives them one by one, as they are drawn.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OutputError
        For another ending, or if the file exists or can't be written.
    FontError
        If no font has a glyph for every character of a figure.

    Examples
    --------
    >>> report("plan.odt")
    Traceback (most recent call last):
    nankai_gis.errors.OutputError: plan.odt: a report is a .docx or an .html file
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".docx", ".html"):
        raise OutputError(tr("{file}: a report is a .docx or an .html file", file=path))
    study = study or packaged()
    about = study.plan.about
    # Entered first, so that an output that can't be written is refused before the work.
    with atomic_write(path, overwrite=overwrite) as temporary, speaking(lang):
        sections = cleaned(content.compose(study))
        drawn = [section for section in sections if section.picture]
        head = {
            "title": title or tr("Measurements: {plan}", plan=about.title.in_language(lang)),
            "subtitle": about.subtitle.in_language(lang),
            "date": about.date,
        }
        head = {key: cleaned(text) for key, text in head.items()}
        if kind == ".docx":
            pictures = _pictures(study, drawn, lang, review, progress)
            data = documents.docx(sections, pictures, **head)
        else:
            maps = _maps(study, drawn, lang, review, progress)
            data = documents.html(sections, maps, **head).encode()
        temporary.write_bytes(data)
    return path


def _frames(study: Study, section: Section) -> dict[str, GeoDataFrame]:
    """What the map of a section shows: everything, or its own feature on the ground."""
    frames = {name: study.frame(name) for name, features in study.layers.items() if features}
    for name, column in _OWN.items():
        if name in frames:
            # By its place among all, so that a feature alone keeps the colour that it has there.
            frames[name]["hue"] = frames[name][column].factorize()[0]
    if not section.id:
        return frames
    shown = {}
    key, _, of = section.id.partition(":")
    if of:
        frames["readings"] = _side_by_side(study, section)[0].assign(status="inferred")
    for name, frame in frames.items():
        if name in _OWN:
            frame = frame[frame[_OWN[name]] == key]
        if name != "sites" and len(frame):
            shown[name] = frame
    return shown


def _pictures(
    study: Study, drawn: Sequence[Section], lang: Language, review: str | None, progress: _Progress
) -> dict[str, bytes]:
    made = {}
    for section in progress(drawn):
        if section.id.endswith(f":{READINGS}"):
            made[section.id] = figure.render(side_by_side(*_side_by_side(study, section)), "png")
            continue
        page = figure.draw(
            _frames(study, section),
            title="",  # the document's own caption says it
            source=study.plan.about.source.in_language(lang),
            date=study.plan.about.date,
            review=review,
            lang=lang,
            page=_ONE if section.id else _WHOLE,
            margin=0.5,
            dpi=220,
            legend=not section.id,
        )
        made[section.id] = figure.render(page, "png")
    return made


def _side_by_side(study: Study, section: Section) -> tuple[GeoDataFrame, GeoDataFrame | None]:
    """The readings of a section's feature, and the streets below them."""
    key = section.id.partition(":")[0]
    features = study.features(["zone", "parcel"])
    return readings(f for f in features if f["properties"]["id"] == key), study.located("streets")


def _maps(
    study: Study, drawn: Sequence[Section], lang: Language, review: str | None, progress: _Progress
) -> dict[str, str]:
    made = {}
    for section in progress(drawn):
        page = webmap.draw(
            _frames(study, section),
            title=section.picture,
            source=study.plan.about.source.in_language(lang),
            date=study.plan.about.date,
            review=review,
            lang=lang,
        )
        made[section.id] = webmap.iframe(page, title=section.picture)
    return made
