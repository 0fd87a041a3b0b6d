"""Files in and out: written whole or not at all, vector files by listed drivers, workbooks."""
