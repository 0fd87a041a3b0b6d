"""The program as its users meet it: in a process of its own, good input and bad."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from shapely.geometry import shape

from nankai_gis.cli import main
from nankai_gis.geometry import ruler
from nankai_gis.measure import features as measure
from nankai_gis.plan import layers
from nankai_gis.present import tables
from nankai_gis.studies import store

Run = Callable[..., subprocess.CompletedProcess[bytes]]
ROOT = Path(__file__).resolve().parent.parent


def test_area_prints_an_aligned_table(run: Run) -> None:
    done = run("--lang", "zh-Hant", "area")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    head, rule, *rows = lines[: lines.index("")]
    assert [row.split()[0] for row in rows] == [
        "南開區",
        "啟航灣創新產業區",
        "老城廂「文商旅」升級發展集聚區",
        "水上奧體「商務總部」升級發展集聚區",
        "西營門地塊",
    ]
    starts = [0, *(i for i in range(1, len(rule)) if rule[i - 1 : i + 1] == " -")]
    for line in (head, *rows):
        for start in starts[1:]:
            cells = 0
            for character in line:
                if cells >= start:
                    break
                cells += tables.width(character)
            # No wide character stands astride the edge of a column.
            assert cells == start or cells >= tables.width(line)
    assert "僅為示意" in done.stdout.decode()


@pytest.mark.parametrize(("unit", "size"), tables.AREA_UNITS.items())
def test_area_in_every_unit(run: Run, unit: str, size: float) -> None:
    done = run("area", "xiyingmen", "--format", "json", "--unit", unit)
    (record,) = json.loads(done.stdout)["features"]
    row = measure.areas(layers.features("parcel"))[0]
    assert record[f"area_{unit}"] == pytest.approx(row.area_m2 / size)
    assert record[f"stated_area_{unit}"] == pytest.approx(2.2e6 / size)
    assert record["deviation_percent"] == pytest.approx((row.area_m2 / 2.2e6 - 1) * 100)


def test_area_as_csv_for_excel(run: Run, tmp_path: Path) -> None:
    done = run("area", "--kind", "subdistrict", "--format", "csv", "-o", "a.csv")
    assert done.stdout == b""
    assert done.stderr.decode() == "wrote a.csv\n"
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    assert [row["name"] for row in rows][:2] == ["長虹街道", "鼓樓街道"]
    total = sum(float(row["area_km2"]) for row in rows)
    assert total == pytest.approx(measure.areas(layers.features("district"))[0].area_m2 / 1e6)


def test_area_as_geojson(run: Run) -> None:
    document = json.loads(run("area", "--kind", "zone", "--format", "geojson").stdout)
    assert document["type"] == "FeatureCollection"
    assert "crs" not in document
    assert [f["id"] for f in document["features"]] == [
        "qihang-bay",
        "laochengxiang",
        "shuishang-aoti",
    ]
    for feature in document["features"]:
        polygon = shape(feature["geometry"])
        assert polygon.exterior.is_ccw
        assert 117 < polygon.centroid.x < 118
        assert feature["properties"]["area_km2"] == pytest.approx(ruler.area(polygon) / 1e6)


@pytest.mark.parametrize("name", ["qihang-bay", "啟航灣", "启航湾", "Qihang Bay"])
def test_a_feature_by_any_name(run: Run, name: str) -> None:
    (record,) = json.loads(run("area", name, "--format", "json").stdout)["features"]
    assert record["id"] == "qihang-bay"


def test_length_by_street_with_what_is_not_located(run: Run) -> None:
    text = run("--lang", "zh-Hant", "length", "創新資源引育帶").stdout.decode()
    (missing,) = [line for line in text.splitlines() if line.split()[1:2] == ["樂山道"]]
    assert missing.split()[2:] == ["延伸", "-", "-", "未定位、規劃"]
    pieces = json.loads(run("length", "innovation-resource", "--format", "json").stdout)["pieces"]
    built = sum(p["length_km"] for p in pieces if p["length_km"] and not p["planned"])
    (total,) = [line for line in text.splitlines() if "合計（已定位）" in line]
    assert total.split()[-2] == f"{built:.2f}"


def test_length_as_geojson_pairs_each_record_with_its_piece(run: Run) -> None:
    args = ("length", "smart-service", "innovation-fusion", "--format", "geojson")
    features = json.loads(run(*args).stdout)["features"]
    corridors = [feature["properties"]["corridor"] for feature in features]
    assert corridors == ["smart-service"] * 2 + ["innovation-fusion"] * 5
    for feature in features:
        p = feature["properties"]
        assert feature["id"].startswith(p["corridor"])
        if feature["geometry"] is not None:
            length = ruler.length(shape(feature["geometry"])) / 1e3
            assert p["length_km"] == pytest.approx(length)


def test_list_names_everything_once(run: Run) -> None:
    rows = json.loads(run("list", "--format", "json").stdout)["features"]
    assert len({row["id"] for row in rows}) == len(rows) == 1 + 3 + 1 + 3 + 12 + 39
    assert sum(row["located"] for row in rows) == 1 + 3 + 1 + 3 + 12 + 11


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qihang-bay", ["東至紅旗路、衞津路", "第四章第一節", "中南道", "200", "推定", "嘉陵道街"]),
        ("xiyingmen", ["2.2平方公里西營門地塊", "偏差 -10.6%", "密雲路直線"]),
        ("創新資源引育帶", ["未來將打通", "樂山道、延安路", "推定、規劃"]),
        ("鼓樓", ["位置：117.17479, 39.14058", "位置精度：30 米", "依據：數字化", "地標"]),
        ("律保大廈", ["未定位（沒有注明來源的坐標）"]),
        ("works-huanghe", ["OSM", "黃河道"]),
    ],
)
def test_show(run: Run, name: str, expected: list[str]) -> None:
    done = run("--lang", "zh-Hant", "show", name)
    assert done.returncode == 0
    for text in expected:
        assert text in done.stdout.decode()


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["area", "qihang"], 1, "no feature is called 'qihang'; near names: "),
        (
            ["area", "smart-service"],
            1,
            "is a corridor and has no area; `nankai-gis length` measures",
        ),
        (["length", "qihang-bay"], 1, "qihang-bay is no corridor; `nankai-gis area` measures"),
        (["show", "鼓樓大街"], 1, "near names: 鼓樓"),
        (["area", "--unit", "acre"], 2, "'acre' is not one of"),
        (["area", "--kind", "corridor"], 2, "'corridor' is not one of"),
        (["measure"], 2, "No such command 'measure'"),
        (["area", "-o", "nowhere/a.csv"], 1, "there is no folder nowhere"),
        (["area", "-o", "."], 1, "is a folder"),
        (["map", "-o", "nowhere/a.html"], 1, "there is no folder nowhere"),
    ],
)
def test_bad_input_gets_a_message_and_an_exit_code(
    run: Run, args: list[str], code: int, message: str
) -> None:
    done = run(*args)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("command", "name"),
    [("area", "out.txt"), ("length", "out.txt"), ("list", "out.txt"), ("map", "out.html")],
)
def test_an_existing_file_is_replaced_only_when_told(
    run: Run, tmp_path: Path, command: str, name: str
) -> None:
    target = tmp_path / name
    target.write_text("precious")
    done = run(command, "-o", name)
    assert done.returncode == 1
    assert f"{name} exists; nothing was written" in done.stderr.decode()
    assert target.read_text() == "precious"
    assert run(command, "-o", name, "--overwrite").returncode == 0
    assert target.read_text(encoding="utf-8") != "precious"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("command", "name", "form"),
    [
        ("area", "a.CSV", "csv"),
        ("length", "a.json", "json"),
        ("area", "a.geojson", "geojson"),
        ("check", "a.html", "html"),
        ("list", "a.csv", "csv"),
        ("list", "a", "table"),
        ("list", "a.md", "table"),
    ],
)
def test_the_form_is_what_the_file_ends_in(
    run: Run, tmp_path: Path, command: str, name: str, form: str
) -> None:
    done = run(command, "-o", name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes() == run(command, "--format", form).stdout


def test_geojson_may_be_in_a_json_file(run: Run, tmp_path: Path) -> None:
    assert run("area", "--format", "geojson", "-o", "a.json").returncode == 0
    assert json.loads((tmp_path / "a.json").read_bytes())["type"] == "FeatureCollection"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["area", "-o", "a.xlsx"], "writes no xlsx; give --format with one of table, csv, json"),
        (["list", "-o", "a.geojson"], "this command writes no geojson"),
        (["area", "--format", "csv", "-o", "a.json"], "ends as json does, not as --format csv"),
        (["area", "--format", "table", "-o", "a.csv"], "give --format csv, or another ending"),
    ],
)
def test_a_file_does_not_end_in_what_it_is_not(
    run: Run, tmp_path: Path, args: list[str], message: str
) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.decode().split())
    assert not list(tmp_path.iterdir())


def test_a_broken_pipe_is_no_traceback() -> None:
    # The reader leaves before anything is written: closing its end first makes that certain.
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "nankai_gis", "list"],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
    )
    os.close(write)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "Error: the reader closed the output before all of it was written\n"
    )


def test_an_encoding_without_chinese_is_said(run_process: Run, run: Run, tmp_path: Path) -> None:
    done = run_process("--lang", "zh-Hant", "area", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1
    assert "latin-1" in done.stderr.decode("latin-1")
    assert "'\\u540d'" in done.stderr.decode("latin-1")
    assert "Traceback" not in done.stderr.decode()
    # Data for a program is UTF-8 whatever the terminal; so is a file.
    assert json.loads(run("area", "--format", "json", PYTHONIOENCODING="latin-1").stdout)
    chinese = {"PYTHONIOENCODING": "latin-1", "NANKAI_GIS_LANG": "zh-Hant"}
    assert run("area", "-o", "a.txt", **chinese).returncode == 0
    assert "南開區" in (tmp_path / "a.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["zh-Hans", "zh-Hant", "en"])
@pytest.mark.parametrize(
    "command", [["area"], ["length"], ["list"], ["show", "啟航灣"], ["area", "--help"]]
)
def test_an_old_chinese_console_shows_everything(run: Run, command: list[str], lang: str) -> None:
    done = run("--lang", lang, *command, PYTHONIOENCODING="gbk")
    assert done.returncode == 0, done.stderr
    shown = run("--lang", lang, *command).stdout.decode().replace("²", "2")
    assert done.stdout.decode("gbk") == shown


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        (["--lang", "zh-Hans"], {"NANKAI_GIS_LANG": "en"}, "名称"),
        (["--lang=zh-Hant"], {"LANG": "zh_CN.UTF-8"}, "名稱"),
        ([], {"NANKAI_GIS_LANG": "zh-Hant", "LC_ALL": "zh_CN.UTF-8"}, "名稱"),
        ([], {"LC_ALL": "zh_CN.UTF-8"}, "名称"),
        ([], {"LC_ALL": "zh_TW.UTF-8"}, "名稱"),
        ([], {"LC_ALL": "fr_FR.UTF-8"}, "Name"),
        ([], {"LC_ALL": "C"}, "Name"),
    ],
)
def test_the_switch_then_the_environment_then_the_locale_choose_the_language(
    run: Run, options: list[str], environment: dict[str, str], expected: str
) -> None:
    unset = {"NANKAI_GIS_LANG": "", "PYTHONIOENCODING": "utf-8"}
    done = run(*options, "list", **(unset | environment))
    assert expected in done.stdout.decode().splitlines()[0].split()


@pytest.mark.parametrize("command", [[], *([name] for name in main.commands)])
@pytest.mark.parametrize("lang", ["zh-Hans", "zh-Hant"])
def test_help_speaks_one_language(run: Run, command: list[str], lang: str) -> None:
    text = run("--lang", lang, *command, "--help").stdout.decode()
    prose = re.sub(r"\[[^\]]*\]|[A-Za-z_./:|*-]*[A-Z.|:_*/-][A-Za-z_./:|*-]*|`[^`]*`", " ", text)
    assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", prose)


def test_the_language_of_one_call_ends_with_it() -> None:
    chinese = CliRunner().invoke(main, ["--lang", "zh-Hans", "area", "--help"]).output
    english = CliRunner().invoke(main, ["--lang", "en", "area", "--help"]).output
    assert "面积" in chinese
    assert "Areas and perimeters" in english
    assert not re.search("[\u4e00-\u9fff]", english.replace("畝", ""))


def test_help_names_every_command(run: Run) -> None:
    text = run("--help").stdout.decode()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in main.commands:
        assert f"\n  {command} " in text
        assert f"\n| `nankai-gis {command}" in readme


def test_one_difference_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for told, said in (["a"], "1 difference"), (["a", "b"], "2 differences"):
        monkeypatch.setattr(store, "differences", lambda file, told=told: told)
        done = CliRunner().invoke(main, ["study", "kept.gpkg", "--verify"])
        assert done.exit_code == 3
        assert done.output.splitlines() == [*told, said]


HEAVY = {"geopandas", "folium", "osmnx", "shapely", "pandas", "numpy", "matplotlib", "pydantic"}


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import nankai_gis", HEAVY | {"pyproj", "click"}),
        (
            "from nankai_gis.cli import main; main(['--help'], standalone_mode=False)",
            HEAVY | {"pyproj"},
        ),
        (
            "from nankai_gis.cli import main; main(['area'], standalone_mode=False)",
            # The ruler works on arrays.
            HEAVY - {"numpy"} | {"opencc"},
        ),
    ],
)
def test_nothing_is_loaded_that_is_not_used(code: str, unwanted: set[str]) -> None:
    ask = f"import sys\n{code}\nprint('\\n', *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, check=True)
    assert not unwanted & set(done.stderr.decode().split())


def test_the_readme_shows_what_the_program_prints() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "update_docs.py"), "--check"], capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()
