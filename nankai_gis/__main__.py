"""``python -m nankai_gis``."""

from nankai_gis.cli import main

main(prog_name="nankai-gis")
