"""``python -m nankai_gis``."""

from .cli import main

main(prog_name="nankai-gis")
