"""What a new DuckDB release takes: objects are compared whatever their order, and packages ask for the releases that are supported."""

import importlib.util
import pathlib
import subprocess
import sys

import hosts
import pytest

BEFORE = "struct Row { int id; int size; }; "
SIZE = 'extern "C" int size_of(const Row *row) { return row->size; } '
NAME = 'extern "C" const char *name_of(int id) { return id > 3 ? "many" : "few"; } '


def module(path: str):
    """Returns a module of the project's tools."""
    file = hosts.ROOT / path
    sys.path.insert(0, str(file.parent))
    try:
        spec = importlib.util.spec_from_file_location(file.stem, file)
        found = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = found
        spec.loader.exec_module(found)
        return found
    finally:
        sys.path.remove(str(file.parent))


def compiled(folder: pathlib.Path, name: str, source: str) -> pathlib.Path:
    (folder / "bridge.cpp").write_text(source)
    flags = [*hosts.RELEASES["bridge_flags"], "-fPIC"]
    subprocess.run(["c++", *flags, "-c", "bridge.cpp", "-o", name], cwd=folder, check=True)
    return folder / name


@pytest.mark.parametrize(("source", "differing"), [
    (BEFORE + NAME + SIZE, []),
    ("struct Unused { int more; }; " + BEFORE + SIZE + NAME, []),
    ("struct Row { int id; long more; int size; }; " + SIZE + NAME, [".text.size_of"]),
    (BEFORE + SIZE + NAME.replace("many", "lots"), [".text.name_of"]),
    (BEFORE + SIZE, [".text.name_of"]),
])
def test_objects_differ_when_layouts_do_and_not_when_their_order_does(source, differing, tmp_path):
    objects = module("extension_config/objects.py")
    one, other = compiled(tmp_path, "one.o", BEFORE + SIZE + NAME), compiled(tmp_path, "other.o", source)
    assert objects.differing(one, other) == differing


@pytest.mark.parametrize(("supported", "requirement"), [
    (["v1.5.6", "v2.0.0"], "duckdb>=1.5.6,<=2.0.0,!=1.5.7,!=1.5.8,!=1.5.9"),
    (["v2.0.0", "v2.0.1"], "duckdb>=2.0.0,<=2.0.1"),
    (["v2.0.1", "v2.0.3"], "duckdb>=2.0.1,<=2.0.3,!=2.0.2"),
    (["v2.0.9", "v2.2.1"], "duckdb>=2.0.9,<=2.2.1,!=2.2.0,!=2.1.*"),
])
def test_what_is_not_supported_is_left_out_of_the_requirement(supported, requirement):
    assert module("packaging/requirements.py").python_requirement(supported) == requirement


def test_releases_that_are_new_and_between_are_found():
    releases = module("extension_config/releases.py")
    offered = ["2.0.10", "2.0.9", "2.0.1", "2.0.2.dev3", "1.5.7", "1.5.6", "1.5.3", "1.5.2"]
    assert releases.newer_unknown(["1.5.3", "1.5.6", "2.0.1"], offered) == ["1.5.7", "2.0.9", "2.0.10"]
    assert releases.release_of_crate("1.20001.0") == "2.0.1" and releases.release_of_crate("1.10506.1") == "1.5.6"


def test_what_to_do_with_a_release_is_said():
    releases = module("extension_config/releases.py")
    same = releases.Finding("2.0.2", "v2_0_1", [], [])
    assert releases.advice(same) == "the objects of line 'v2_0_1': add it to the releases of that line"
    line = '{"name": "v2_0_2", "headers": {"python": "2.0.2"}, "releases": ["v2.0.2"]}'
    other = releases.Finding("2.0.2", "v2_0_1", [".text.Plan"], ["capi_internal.hpp"])
    look = "; read first what changed in capi_internal.hpp, which supplied.hpp repeats"
    assert releases.advice(other) == f"differs from 'v2_0_1' in 1 sections: a line of its own, {line}{look}"
    assert releases.advice(releases.Finding("2.0.2", None, [], ["error: x"])) == "does not compile: error: x"


def test_the_releases_are_in_order():
    numbers = module("packaging/requirements.py").numbers_of
    assert hosts.SUPPORTED == sorted(hosts.SUPPORTED, key=numbers)
    assert f"v{hosts.RELEASES['tested']['python'][-1]}" == hosts.SUPPORTED[-1]
