"""From the prose of a district plan to checked polygons, measures and maps."""
