"""The HTML document: one escaping door, a policy by hash, and Folium's clothes around both.

Text reaches the page in two places only, and both pass through the functions next to each
other below: `inert_json` for the data block, `inert_text` for ``<title>``. What they return
holds no ``<``, no ``&`` of its own and no ``{`` inside a string, so it is neither HTML nor,
should somebody put the page through branca's second compilation, a Jinja template.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import folium
from branca.element import Figure
from jinja2 import Template as Jinja

from nankai_gis.present.webmap.added import added
from nankai_gis.present.webmap.tiles import origins
from nankai_gis.words import speaking

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# Beyond markup and Jinja: line separators that old JavaScript refuses, controls, and
# lone surrogates, which can't be written as UTF-8.
_RISKY = re.compile("[<>&'`{}$\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_MARKUP = re.compile("[<>&\"'`{}]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")


def inert_json(value: object) -> str:
    """Return JSON that stays data in HTML, in JavaScript and in a Jinja template."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _STRING.sub(lambda s: _RISKY.sub(lambda c: f"\\u{ord(c[0]):04x}", s[0]), text)


def inert_text(value: str) -> str:
    """Return text for an HTML element; controls, which HTML can't hold, become spaces."""
    return _MARKUP.sub(lambda c: f"&#{ord(c[0])};", _CONTROL.sub(" ", value))


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A file of another project, shipped unchanged."""

    name: str
    version: str
    sha256: str
    url: str


LEAFLET_JS = ThirdParty(
    "leaflet.js",
    "1.9.4",
    "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.js",
)
LEAFLET_CSS = ThirdParty(
    "leaflet.css",
    "1.9.4",
    "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
    "https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.css",
)


@cache
def asset(name: str) -> str:
    """Return the text of a file shipped in ``nankai_gis/assets``, its lines ended by LF.

    A browser reads inline text so, too, before it compares it with the policy's hash.
    """
    return (files("nankai_gis.present.webmap") / "assets" / name).read_text("utf-8")


def _digest(content: bytes, algorithm: str) -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}-{base64.b64encode(digest).decode()}"


def _leaflet() -> tuple[str, str]:
    """Return Leaflet's script and style as they are inlined.

    Without the pointer to a source map and without the icon images that the page never
    shows, so that the file names nothing outside itself.
    """
    script = asset(LEAFLET_JS.name).split("//# sourceMappingURL=")[0].rstrip()
    style = re.sub(r"background-image: url\([^)]*\);", "", asset(LEAFLET_CSS.name))
    return script, style


@dataclass(frozen=True, slots=True)
class _Part:
    """A script or style as it stands in the page, and what the policy must allow for it."""

    markup: str
    allowed: str


def _inline(tag: str, text: str) -> _Part:
    return _Part(f"<{tag}>{text}</{tag}>", f"'{_digest(text.encode(), 'sha256')}'")


def _linked(file: ThirdParty) -> _Part:
    # Of the bytes as published, line ends and all: that is what the CDN sends.
    content = (files("nankai_gis.present.webmap") / "assets" / file.name).read_bytes()
    seal = f'integrity="{_digest(content, "sha384")}" crossorigin="anonymous"'
    if file.name.endswith(".js"):
        return _Part(f'<script src="{file.url}" {seal}></script>', file.url)
    return _Part(f'<link rel="stylesheet" href="{file.url}" {seal}>', file.url)


def _body(content: dict[str, Any], *, embedded: bool) -> str:
    # string.Template reads `$` in the toolkit's own skeleton only, never in what it puts in.
    return Template(asset("webmap.sheet.html")).substitute(
        kind=" nk-embedded" if embedded else "",
        heading="h2" if embedded else "h1",
        main="div" if embedded else "main",
        lang=content["lang"],
        no_script=inert_text(content["words"]["no_script"]),
        data=inert_json(content),
    )


def document(content: dict[str, Any], *, cdn: bool) -> str:
    """Return the complete HTML document of a map."""
    script, style = _leaflet()
    scripts = [_linked(LEAFLET_JS) if cdn else _inline("script", script)]
    scripts.append(_inline("script", asset("webmap.tools.js") + asset("webmap.js")))
    styles = [_linked(LEAFLET_CSS) if cdn else _inline("style", style)]
    styles.append(_inline("style", asset("webmap.css") + asset("webmap.page.css")))
    pictures = ["data:", *(origins(content["tiles"]["urls"]) if content["tiles"] else ())]
    policy = (
        "default-src 'none'",
        f"script-src {' '.join(part.allowed for part in scripts)}",
        f"style-src {' '.join(part.allowed for part in styles)}",
        f"img-src {' '.join(pictures)}",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return Template(asset("webmap.html")).substitute(
        lang=content["lang"],
        policy="; ".join(policy),
        title=inert_text(content["title"]),
        styles="\n".join(part.markup for part in styles),
        sheet=_body(content, embedded=False),
        scripts="\n".join(part.markup for part in scripts),
    )


def fragment(content: dict[str, Any]) -> str:
    """Return a map as a piece of another page's body; see `nankai_gis.present.webmap.fragment`."""
    script, style = _leaflet()
    # The page may have a Leaflet of its own, and a module loader: neither is touched. What a
    # second fragment brings along is not run again; it only has its map drawn.
    code = (
        "if (window.nankaiMaps) window.nankaiMaps(); else (function () {\n"
        "var define, module, exports, before = window.leaflet;\n"
        f"{script}\n"
        "var L = window.L.noConflict();\n"
        "if (before === undefined) delete window.leaflet; else window.leaflet = before;\n"
        f"{asset('webmap.tools.js')}{asset('webmap.js')}}})();"
    )
    # A template until the script runs: then it moves into a shadow tree, out of the page's styles.
    parts = (
        '<div class="nk-host"><template>',
        f"<style>:host {{ all: initial; display: block }}\n{style}\n{asset('webmap.css')}</style>",
        _body(content, embedded=True).rstrip(),
        f"</template><noscript>{inert_text(content['words']['no_script'])}</noscript></div>",
        f"<script>{code}</script>",
    )
    return "\n".join(parts) + "\n"


def iframe(text: str, title: str, *, height: int, src: str | None) -> str:
    """Return a frame that shows a document; see `nankai_gis.present.webmap.iframe`."""
    # A sandbox without same-origin: the map can't reach the page around it.
    shown = f'srcdoc="{escape(text)}"' if src is None else f'src="{escape(src)}" loading="lazy"'
    return (
        f'<iframe title="{inert_text(title)}" sandbox="allow-scripts allow-modals allow-downloads" '
        f'width="100%" height="{height}" style="display:block;width:100%;max-height:95vh;border:0" '
        f"{shown}></iframe>"
    )


class _Page(Figure):
    """Folium's root element; it gives the document as it is and compiles nothing again."""

    def __init__(self, write: Callable[[], str], title: str) -> None:
        super().__init__(title=title)
        self._id = "nankai"
        self._write = write

    def render(self, **kwargs: Any) -> str:
        return self._write()

    def _repr_html_(self, **kwargs: Any) -> str:
        return iframe(self._write(), self.title or "", height=640, src=None)


class PlanMap(folium.Map):
    """A ``folium.Map`` whose page is already written; `nankai_gis.present.webmap.draw` makes it.

    It shows itself in a notebook, and ``save(path)`` writes the one file. Of further Folium
    layers it takes those that `nankai_gis.present.webmap.added.added` lists; their texts are shown
    as text, never as markup.
    """

    _template = Jinja("")

    def __init__(self, content: dict[str, Any], *, cdn: bool) -> None:
        (south, west), (north, east) = content["bounds"]
        super().__init__(location=[(south + north) / 2, (west + east) / 2], tiles=None)
        self._id = "nankai"
        # The page has its own scripts and styles and asks for none of Folium's.
        self.default_js, self.default_css = [], []
        self.content = content
        page = _Page(lambda: document(self.page_content(), cdn=cdn), content["title"])
        page.add_child(self)

    def add_child(self, child: Any, name: str | None = None, index: int | None = None) -> Any:
        """Add a Folium layer, or say why the map doesn't take it."""
        added([child])
        return super().add_child(child, name, index)

    def page_content(self) -> dict[str, Any]:
        """Return the content of the page with what was added since the map was drawn."""
        with speaking(self.content["lang"]):
            return self.content | {"added": added(self._children.values())}
