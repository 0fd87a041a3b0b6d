"""FlatGeobuf and GeoParquet: one table, with a column that says which layer."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from nankai_gis.errors import MissingExtraError
from nankai_gis.exports.layers import ATTRIBUTION, located, merged, statements
from nankai_gis.exports.readback import check_same
from nankai_gis.words import tr

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from nankai_gis.exports import Job
    from nankai_gis.exports.layers import PreparedLayer

_NAME = "nankai-gis"


def content(layers: list[PreparedLayer], job: Job) -> bytes:
    """Return the layers as one table."""
    assert job.reference is not None
    if job.format == "flatgeobuf":
        layers = located(layers, job.log)
    job.log.rows.update({layer.name: len(layer.rows) for layer in layers})
    if not layers:
        return b""
    whole = merged(layers, _NAME)
    frame = whole.frame(job.reference.crs)
    return _flatgeobuf(frame, job) if job.format == "flatgeobuf" else _geoparquet(frame, job)


def _flatgeobuf(frame: GeoDataFrame, job: Job) -> bytes:
    import pyogrio

    from nankai_gis.exports import scratch

    assert job.reference is not None
    with scratch() as folder:
        target = folder / "layers.fgb"
        pyogrio.write_dataframe(
            frame,
            target,
            driver="FlatGeobuf",
            layer=_NAME,
            geometry_type="Unknown",
            layer_options={
                "TITLE": f"{_NAME} ({job.reference.datum})",
                "DESCRIPTION": "\n".join(statements(job.reference)),
            },
        )
        # The spatial index sorts the rows.
        check_same(frame, pyogrio.read_dataframe(target), _NAME, ordered=False)
        return target.read_bytes()


def _geoparquet(frame: GeoDataFrame, job: Job) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(
            tr(
                "GeoParquet needs pyarrow, which isn't installed; run {command}",
                command="pip install 'nankai-gis[parquet]'",
            )
        ) from error
    assert job.reference is not None
    made = io.BytesIO()
    frame.to_parquet(made, index=False)
    # geopandas has no place for metadata of one's own.
    table = pq.read_table(pa.BufferReader(made.getvalue()))
    own = {
        "attribution": ATTRIBUTION,
        "datum": job.reference.datum,
        "reference": job.reference.statement,
        "sketch": statements(job.reference)[-1],
    }
    metadata = {**table.schema.metadata, b"nankai_gis": json.dumps(own, ensure_ascii=False)}
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), out)
    return out.getvalue()
