"""A slice of the broken OSM files that ``scripts/fuzz_osm.py`` tries."""

from __future__ import annotations

import fuzz_osm
import pytest


@pytest.mark.parametrize(("part", "count"), [("files", 40), ("server", 3)])
def test_what_is_broken_is_whole_or_told(part, count, capsys):
    outcomes = fuzz_osm.run(part, count, seed=3)
    assert not outcomes["wrong"], capsys.readouterr().out
    assert outcomes.total() == count
