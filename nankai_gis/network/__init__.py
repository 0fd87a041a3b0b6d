"""The named streets: OSM files, Overpass, snapshots, centrelines, digitised lines."""
