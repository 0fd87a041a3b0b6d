"""What the commands print is in one language, line by line."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from nankai_gis import words
from nankai_gis.cli import main

#: Names that are the same in every language.
NAMES = re.compile(
    r"OSM|OpenStreetMap|CGCS2000|EPSG|Hausdorff|GCJ-02|BD-09|ppm|nankai-gis \w+|--\w+"
)
#: The commands whose lines hold no text of the plan but names.
COMMANDS = (["area"], ["length"], ["list"], ["check"], ["coverage"], ["derive", "laochengxiang"])
_IDEOGRAPHS = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_line_mixes_languages(command: list[str]) -> None:
    for lang in words.LANGUAGES:
        text = CliRunner().invoke(main, ["--lang", lang, *command]).output
        assert text
        for line in text.splitlines():
            # Quoted text of the plan, ids and names aside.
            prose = re.sub(r"(?<!\w)'[^']*'|\b[a-z0-9]+(-[a-z0-9]+)+\b", " ", NAMES.sub(" ", line))
            if lang == "en":
                assert not _IDEOGRAPHS.search(prose), line
            else:
                assert not re.search(r"[A-Za-z]{3,} +[A-Za-z]{3,}", prose), line
