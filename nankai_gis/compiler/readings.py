"""The readings of a clause as plain data, which travels with the polygon that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nankai_gis.compiler.derive import Derived, compile_readings, readings_of
from nankai_gis.compiler.ring import Alternative, Ring, ring_area
from nankai_gis.plan.model import Feature, Names
from nankai_gis.words import LANGUAGES, Language, language, listed, speaking

if TYPE_CHECKING:
    from nankai_gis.compiler.lines import PlanNetwork


def readings_as_data(feature: Feature, ring: Ring, network: PlanNetwork) -> list[dict[str, Any]]:
    """Return the readings of a definition, or the other rings that its search gave.

    The one that is drawn comes first. Empty where there is only one.
    """
    if feature.readings:
        return [
            _record(
                made.reading.id,
                made.reading.chosen,
                made.ring,
                name=made.reading.names,
                reasons_for=made.reading.reasons_for,
                reasons_against=made.reading.reasons_against,
            )
            for made in compile_readings(feature, network, network.points)
            if made.ring is not None
        ]
    if not ring.alternatives:
        return []
    found = readings_of(Derived(feature, ring=ring))
    return [_searched(n, other, other.ring is ring) for n, other in enumerate(found)]


def _searched(number: int, reading: Alternative, chosen: bool) -> dict[str, Any]:
    """Name a ring that was searched after its lines, and write its remarks in three languages."""
    lines = list(dict.fromkeys(reading.lines))
    return _record(
        f"ring-{number + 1}",
        chosen,
        reading.ring,
        name=_in_three(lambda: listed(line.in_language(language()) for line in lines)),
        reasons_for=_in_three(lambda: listed(remark.text() for remark in reading.speaks_for)),
        reasons_against=_in_three(
            lambda: listed(remark.text() for remark in reading.speaks_against)
        ),
    )


def _in_three(text: Callable[[], str]) -> Names:
    def spoken(lang: Language) -> str:
        with speaking(lang):
            return text()

    texts = {lang: spoken(lang) for lang in LANGUAGES}
    return Names(texts["zh-Hant"], texts["zh-Hans"], texts["en"])


def _record(key: str, chosen: bool, ring: Ring, **texts: Names) -> dict[str, Any]:
    record: dict[str, Any] = {"id": key, "chosen": chosen, "area_m2": round(ring_area(ring), 1)}
    for column, names in texts.items():
        record |= {column: names.hant, f"{column}_hans": names.hans, f"{column}_en": names.en}
    return record | {"status": ring.status, "ring": [list(p) for p in ring.coordinates]}
