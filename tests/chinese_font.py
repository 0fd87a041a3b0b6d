"""Whether a font for Chinese is installed."""

from __future__ import annotations

import pytest

from nankai_gis.errors import FontError
from nankai_gis.present import fonts


def _has_chinese() -> bool:
    try:
        fonts.covering(["南開區啟航灣"])
    except FontError:
        return False
    return True


needs_chinese_font = pytest.mark.skipif(
    not _has_chinese(), reason="no font for Chinese (Debian: apt-get install fonts-noto-cjk)"
)
