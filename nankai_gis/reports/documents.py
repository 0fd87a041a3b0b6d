"""The report as a Word document and as a standalone page.

Both set the same sections, in the language in force; neither measures anything. Word documents
are python-docx's; the page is a template of 20 lines, for which no library is worth its weight.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from nankai_gis.files.spreadsheet import width
from nankai_gis.reports.sections import Section, Table
from nankai_gis.words import language, quoted, tr

if TYPE_CHECKING:
    from docx.document import Document

# Width of the text on an A4 page, centimetres.
_TEXT_CM = 16.0
#: Rows up to which a table stays on one page.
_SHORT = 14


@dataclass(frozen=True, slots=True)
class _NumberedSection:
    """A section with its words as both forms set them; "" for what it hasn't."""

    section: Section
    quote: str
    picture: str
    tables: list[tuple[str, Table]]


def _numbered(sections: Sequence[Section], shown: Collection[str]) -> Iterator[_NumberedSection]:
    """Number figures and tables through; what isn't shown, or has no row, has no number."""
    figures, tables = itertools.count(1), itertools.count(1)
    for section in sections:
        quote = quoted(section.clause) if section.clause else ""
        if quote and section.place:
            quote = tr("{quotation} ({place})", quotation=quote, place=section.place)
        picture = ""
        if section.picture and section.id in shown:
            picture = tr("Figure {n}  {caption}", n=next(figures), caption=section.picture)
        yield _NumberedSection(
            section,
            quote,
            picture,
            [
                (tr("Table {n}  {caption}", n=next(tables), caption=table.caption), table)
                for table in section.tables
                if table.rows
            ],
        )


def docx(
    sections: Sequence[Section],
    pictures: Mapping[str, bytes],
    *,
    title: str,
    subtitle: str,
    date: str,
    font: str = "宋体",
) -> bytes:
    """Set sections as a Word document."""
    import docx as word
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt, RGBColor

    document = word.Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.5)
    page.top_margin = page.bottom_margin = Cm(2.2)
    for style in ("Normal", "Title", "Subtitle", "Heading 1", "Caption", "Quote", "Table Grid"):
        _use_font(document.styles[style], font)
        # Word's template is blue; a plan's report is set in black.
        document.styles[style].font.color.rgb = RGBColor(0, 0, 0)
    document.styles["Normal"].font.size = Pt(10.5)
    document.styles["Title"].font.size = Pt(20)
    document.core_properties.title = title
    document.core_properties.author = "nankai-gis"
    _date(document, date)
    document.add_paragraph(title, style="Title")
    document.add_paragraph(f"{subtitle}  {date}".strip(), style="Subtitle")
    for part in _numbered(sections, pictures):
        section = part.section
        document.add_heading(section.title, level=1)
        if part.quote:
            document.add_paragraph(part.quote, style="Quote").paragraph_format.keep_with_next = True
        for text in section.paragraphs:
            document.add_paragraph(text).paragraph_format.first_line_indent = Pt(21)
        if part.picture:
            drawn = document.add_picture(io.BytesIO(pictures[section.id]))
            if drawn.width > Cm(_TEXT_CM):
                drawn.height = round(drawn.height * Cm(_TEXT_CM) / drawn.width)
                drawn.width = Cm(_TEXT_CM)
            document.paragraphs[-1].alignment = WD_ALIGN_PARAGRAPH.CENTER
            document.paragraphs[-1].paragraph_format.keep_with_next = True
            _caption(document, part.picture)
        for caption, table in part.tables:
            _caption(document, caption, above=True)
            _table(document, table)
    out = io.BytesIO()
    document.save(out)
    return _steady(out.getvalue())


def _use_font(style: Any, font: str) -> None:
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    # A theme font would win over the name.
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), font)


def _date(document: Document, date: str) -> None:
    import datetime

    # A date may be a year, a month or a day; Word wants a day, and the same one each time.
    year, month, day_of = (*map(int, date.split("-")), 1, 1)[:3] if date else (2000, 1, 1)
    day = datetime.datetime(year, month, day_of)
    document.core_properties.created = document.core_properties.modified = day


def _caption(document: Document, text: str, *, above: bool = False) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = document.add_paragraph(text, style="Caption")
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.keep_with_next = above


def _table(document: Document, table: Table) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    widths = _widths(table)
    grid = document.add_table(rows=0, cols=len(table.header), style="Table Grid")
    grid.autofit = False
    for column, centimetres in enumerate(widths):
        # LibreOffice goes by the columns, Word by the cells.
        grid.columns[column].width = Cm(centimetres)
    last = len(table.rows)
    for number, cells in enumerate((table.header, *table.rows)):
        row = grid.add_row()
        mark = OxmlElement("w:cantSplit")
        row._tr.get_or_add_trPr().append(mark)
        if number == 0:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        for column, text in enumerate(cells):
            cell = row.cells[column]
            cell.width = Cm(widths[column])
            paragraph = cell.paragraphs[0]
            # A short table stays whole; of a long one no page has the head or one row alone.
            keep = number < last and (last <= _SHORT or number < 2 or number == last - 1)
            paragraph.paragraph_format.keep_with_next = keep
            paragraph.paragraph_format.space_before = Pt(1.5)
            paragraph.paragraph_format.space_after = Pt(1.5)
            run = paragraph.add_run(text)
            run.font.size = Pt(9)
            run.font.bold = number == 0
            if number and column in table.right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if number == 0:
                shade = OxmlElement("w:shd")
                shade.set(qn("w:val"), "clear")
                shade.set(qn("w:fill"), "EDEDED")
                cell._tc.get_or_add_tcPr().append(shade)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


# Half a Chinese character of 9 pt, and what a cell keeps free on both sides.
_LETTER_CM, _MARGINS_CM = 0.18, 0.45


def _widths(table: Table) -> list[float]:
    """Centimetres for each column: figures and short words whole, the rest by the longest text."""
    count = len(table.header)
    cells = [max(width(row[k]) for row in table.rows) for k in range(count)]
    # What must not break: a figure, a word of up to four Chinese characters, a word of the head.
    words = [max(map(len, re.findall(r"[A-Za-z]+", head)), default=0) for head in table.header]
    least = [
        max(size if k in table.right else min(size, 8), words[k] + 1) * _LETTER_CM + _MARGINS_CM
        for k, size in enumerate(cells)
    ]
    longest = [max(a, width(b)) for a, b in zip(cells, table.header, strict=True)]
    shares = [min(size, 60) / (4 if k in table.right else 1) for k, size in enumerate(longest)]
    rest = max(_TEXT_CM - sum(least), 0.0)
    return [a + rest * share / sum(shares) for a, share in zip(least, shares, strict=True)]


def _steady(data: bytes) -> bytes:
    """The same archive with every entry dated alike: a zip keeps the time of writing."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, old.read(name))
    return out.getvalue()


_STYLE = """
body { font: 16px/1.7 "Noto Serif CJK TC", "Songti TC", SimSun, serif; margin: 0 auto;
  max-width: 60rem; padding: 1rem 1.5rem 4rem; color: #222; }
h1 { font-size: 1.8rem; margin-bottom: 0; }
h2 { border-bottom: 2px solid #444; margin-top: 3rem; }
blockquote { border-left: 4px solid #bbb; margin: 1rem 0; padding: .2rem 1rem; color: #444; }
table.report { border-collapse: collapse; width: 100%; font-size: .9rem; }
table.report th, table.report td { border: 1px solid #bbb; padding: .25rem .5rem; }
table.report th { background: #ededed; text-align: left; }
table.report td.right { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; }
figcaption, caption { text-align: center; color: #444; font-size: .9rem; padding: .4rem; }
@page { size: A4; margin: 12mm; }
/* A framed map lays itself out for paper as a sheet of 186 by 195 mm. */
@media print {
  body { font-size: 10.5pt; max-width: none; padding: 0; }
  h2 { break-before: page; margin-top: 0; }
  h1 + p + h2 { break-before: auto; margin-top: 1.5rem; }
  figure { break-inside: avoid; margin: 0; }
  iframe { width: 186mm !important; height: 195mm; max-height: none !important; }
}
"""


def html(
    sections: Sequence[Section],
    maps: Mapping[str, str],
    *,
    title: str,
    subtitle: str,
    date: str,
) -> str:
    """Set sections as a standalone page."""
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(f'{subtitle}  {date}'.strip())}</p>"]
    for part in _numbered(sections, maps):
        section = part.section
        body.append(f"<h2>{escape(section.title)}</h2>")
        if part.quote:
            body.append(f"<blockquote>{escape(part.quote)}</blockquote>")
        body += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
        if part.picture:
            caption = f"<figcaption>{escape(part.picture)}</figcaption>"
            body.append(f"<figure>{maps[section.id]}{caption}</figure>")
        body += [_html_table(caption, table) for caption, table in part.tables]
    inner = "\n".join(body)
    return f"""<!doctype html>
<html lang="{language()}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_STYLE}</style></head><body>
{inner}
</body></html>
"""


def _html_table(caption: str, table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "\n".join(
        "<tr>"
        + "".join(
            f'<td class="right">{escape(cell)}</td>'
            if k in table.right
            else f"<td>{escape(cell)}</td>"
            for k, cell in enumerate(row)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<table class="report"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table>"
    )
