"""Measuring and cutting on the ellipsoid: one ruler, one local plane, parts that add up.

``crs``         the coordinate reference systems that are stored, reported and accepted
``datum``       GCJ-02 and BD-09, the shifted coordinates of Chinese map services
``ruler``       areas and lengths on the CGCS2000 ellipsoid
``plane``       metres about a place
``polygons``    intersection, difference and union of polygons, each result checked
``cut_lines``   lines cut by areas
``boundaries``  what the cutter knows of the areas: edges, a raster over them, points in areas
``cut``         the pieces that it gives
``nearest``     edges near points

Nothing is imported here: the ruler starts without Shapely.
"""
