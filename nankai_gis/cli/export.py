"""``export``."""

from __future__ import annotations

from pathlib import Path

import click

from nankai_gis.cli import options
from nankai_gis.errors import NankaiGISError
from nankai_gis.exports import DATUMS, ENCODINGS, FORMATS, accept, format_of, text_sequences, write
from nankai_gis.words import ntr, tr


@click.command("export")
@click.argument("output", type=click.Path(dir_okay=True, allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Format of the file; by its suffix if left out.",
)
@click.option(
    "--layers",
    metavar="A,B",
    help="Layers to write: district, subdistricts, zones, parcel, streets, corridors, sites. "
    "Default: all.",
)
@click.option(
    "--crs",
    metavar="CRS",
    help="CRS of the coordinates, as EPSG:4490 or EPSG:4548; east before north. "
    "Default: EPSG:4326, for DXF EPSG:4548.",
)
@click.option(
    "--datum",
    type=click.Choice(DATUMS),
    default=DATUMS[0],
    show_default=True,
    help="Shift the coordinates for Chinese web maps; the file says so.",
)
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default=ENCODINGS[0],
    show_default=True,
    help="Encoding of text (Shapefile and CSV).",
)
@click.option("--overwrite", is_flag=True, help="Replace the output file if it exists.")
def export_(
    output: Path,
    form: str | None,
    layers: str | None,
    crs: str | None,
    datum: str,
    encoding: str,
    overwrite: bool,
) -> None:
    """Write the plan's layers, with measures and sources, as a file for another program.

    The suffix of OUTPUT says the format: .gpkg, .geojson, .geojsonl, .zip (Shapefile), .kml,
    .kmz, .fgb, .parquet, .dxf, .csv, .xlsx. For OUTPUT - GeoJSON text sequences go to stdout.
    Rows left out and values changed are listed on stderr.
    """
    dash = str(output) == "-"
    try:
        name = form or ("geojsonseq" if dash else format_of(output))
        accept(name, crs, datum, encoding)
    except NankaiGISError as error:
        raise click.UsageError(str(error)) from error
    if dash and name != "geojsonseq":
        raise click.UsageError(
            tr("stdout takes GeoJSON text sequences; name a file for {format}", format=name)
        )

    from nankai_gis.exports.study import layers_of

    study = options.study()
    wanted = None if layers is None else list(filter(None, layers.split(",")))
    present = options.progress(layers_of(study, wanted), tr("measuring"))
    frames = {layer: study.frame(layer) for layer in present}
    if dash:
        data, report = text_sequences(frames, datum=datum)
        options.deliver(data, None, False)
    else:
        report = write(
            frames,
            output,
            format=name,
            crs=crs,
            datum=datum,
            encoding=encoding,
            overwrite=overwrite,
        )
    for line in report.lines():
        click.echo(line, err=True)
    if report.path is not None:
        rows = sum(report.rows.values())
        click.echo(
            ntr("wrote {file} ({n} row)", "wrote {file} ({n} rows)", rows, file=report.path),
            err=True,
        )
