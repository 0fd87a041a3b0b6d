"""Street graphs that osmnx saved."""

from __future__ import annotations

from pathlib import Path

import make_network as make
import networkx as nx
import osmnx
import pytest
import shapely
from shapely.geometry import LineString

from nankai_gis.errors import DataError
from nankai_gis.geometry import crs
from nankai_gis.network import roads


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A two-way street, a one-way carriageway, and an edge that was simplified from two ways."""
    g = nx.MultiDiGraph(crs="epsg:4326")
    for node, (x, y) in enumerate([(117.1, 39.1), (117.11, 39.1), (117.11, 39.11)], start=1):
        g.add_node(node, x=x, y=y, street_count=2)
    two_way = {"osmid": 10, "name": "红旗路", "highway": "primary", "oneway": False, "length": 1.0}
    g.add_edge(1, 2, **two_way, reversed=False)
    g.add_edge(2, 1, **two_way, reversed=True)
    bend = LineString([(117.11, 39.1), (117.112, 39.105), (117.11, 39.11)])
    g.add_edge(
        2,
        3,
        osmid=[11, 12],
        name=["复康路", "卫津路"],
        highway=["primary", "secondary"],
        oneway=True,
        reversed=False,
        length=1.0,
        geometry=bend,
    )
    path = tmp_path / "city.graphml"
    osmnx.save_graphml(g, path)
    return path


def test_a_two_way_street_is_there_once_and_measured_anew(graph: Path) -> None:
    found = roads.read(graph).frame
    assert len(found) == 2
    (street,) = found[found.name == "红旗路"].geometry
    assert sorted(street.coords) == [(117.1, 39.1), (117.11, 39.1)]
    assert crs.ellipsoid().geometry_length(street) == pytest.approx(865.0, abs=0.1)
    assert found[found.name == "红旗路"].oneway.item() == 0


def test_names_of_a_simplified_edge_stay_together(graph: Path) -> None:
    found = roads.read(graph).frame
    (edge,) = found[found.name != "红旗路"].itertuples()
    assert (edge.name, edge.oneway) == ("复康路;卫津路", 1)
    assert len(edge.geometry.coords) == 3


def test_another_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.graphml"
    nx.write_graphml(nx.path_graph(3), path)
    with pytest.raises(DataError, match=r"other\.graphml: not a street graph"):
        roads.read(path)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> roads.Roads:
    return roads.read(make.write(make.city(60), tmp_path_factory.mktemp("g") / "a.osm"))


def test_osmnx_routes_measures_and_plots_a_network(city: roads.Roads) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    graph = city.to_graph()
    core = graph.subgraph(max(nx.strongly_connected_components(graph), key=len))
    ends = sorted(core.nodes)
    route = osmnx.routing.shortest_path(core, ends[0], ends[-1], weight="length")
    assert route[0] == ends[0]
    assert route[-1] == ends[-1]
    stats = osmnx.stats.basic_stats(graph)
    highways = city.frame[city.frame.highway.notna()].geometry
    metres = sum(crs.ellipsoid().geometry_length(line) for line in highways)
    assert stats["street_length_total"] == pytest.approx(metres, rel=1e-6)
    figure, _ = osmnx.plot.plot_graph_route(core, route, show=False, close=True)
    assert figure.axes


def test_a_network_comes_back_from_its_graph(city: roads.Roads) -> None:
    back = roads.from_graph(city.to_graph(("highway", "railway", "waterway")))
    degrees = [shapely.length(net.frame.geometry.to_numpy()).sum() for net in (back, city)]
    assert degrees[0] == pytest.approx(degrees[1])
    assert set(back.frame.name.dropna()) == set(city.frame.name.dropna())
    assert (back.origin.format, back.frame.railway.notna().any()) == ("graph", True)


def test_a_graph_without_edges_is_refused() -> None:
    with pytest.raises(DataError, match="no edges"):
        roads.from_graph(nx.MultiDiGraph(crs="EPSG:4326"))
