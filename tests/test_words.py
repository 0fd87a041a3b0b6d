"""One catalogue holds all words that a person reads."""

from __future__ import annotations

import pytest
import update_words

from nankai_gis import words
from nankai_gis.words import terms


def test_the_catalogue_is_complete_and_in_step_with_the_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert update_words.main(["--check"]) == 0, capsys.readouterr().out


def test_simplified_is_made_of_traditional_with_its_own_quotation_marks() -> None:
    with words.speaking("zh-Hans"):
        assert words.tr(terms.KINDS["district"]) == "行政区"
        assert words.quoted("红旗路") == "“红旗路”"
    with words.speaking("zh-Hant"):
        assert words.tr(terms.KINDS["district"]) == "行政區"
        assert words.quoted("紅旗路") == "「紅旗路」"


def test_a_block_ends_with_the_language_that_was_before() -> None:
    with words.speaking("zh-Hans"):
        with words.speaking("en"):
            assert words.language() == "en"
        assert words.language() == "zh-Hans"
    with pytest.raises(LookupError, match="no language 'xx'"), words.speaking("xx"):  # type: ignore[arg-type]
        pass


def test_the_environment_chooses_before_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(words.VARIABLE, "zh-Hans")
    assert words.language() == "zh-Hans"
    assert words.preferred({words.VARIABLE: "en", "LC_ALL": "zh_CN.UTF-8"}) == "en"
    assert words.preferred({"LC_ALL": "zh_TW.UTF-8", "LANG": "zh_CN.UTF-8"}) == "zh-Hant"
    assert words.preferred({}) == "en"
