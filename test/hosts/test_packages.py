"""The wheel and the npm package: made twice alike, installed into clean environments, and a first SELECT in each."""

import json
import re
import subprocess
import tarfile
import tomllib
import zipfile

import hosts
import packages
import pages
import pytest

CARGO = tomllib.loads((hosts.ROOT / "Cargo.toml").read_text())["package"]
# A release that may come: the one after the newest of the oldest line.
BETWEEN = "{0}.{1}.{2}".format(*[int(part) + (idx == 2) for idx, part in enumerate(hosts.RELEASES["lines"][0]["releases"][-1][1:].split("."))])
ORGS = "SELECT login FROM github.orgs ORDER BY ALL"


def test_the_same_extension_makes_the_same_files(extension, made_packages, tmp_path):
    again = packages.make(extension, tmp_path)
    for one, other in ((made_packages.wheel, again.wheel), (made_packages.tarball, again.tarball)):
        assert one.name == other.name and one.read_bytes() == other.read_bytes(), one.name


def test_the_wheel_says_what_it_needs(made_packages, extension):
    name, version, python, abi, platform = made_packages.wheel.stem.split("-")
    assert (name, version, python, abi) == ("duckdb_unify", CARGO["version"], "py3", "none")
    found = re.fullmatch(r"manylinux_2_(\d+)_(x86_64|aarch64)", platform)
    assert found and found[2] == packages.tag_of_this_machine(), platform
    # No symbol of the C library is newer than the tag promises.
    needed = re.findall(r"GLIBC_2\.(\d+)", subprocess.run(["readelf", "--version-info", extension], stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert max(int(minor) for minor in needed) <= int(found[1]), platform
    with zipfile.ZipFile(made_packages.wheel) as wheel:
        assert wheel.read("duckdb_unify/unify.duckdb_extension") == extension.read_bytes()
        metadata = wheel.read(f"duckdb_unify-{CARGO['version']}.dist-info/METADATA").decode()
    assert f"\nVersion: {CARGO['version']}\n" in metadata and f"\nLicense-Expression: {CARGO['license']}\n" in metadata, metadata


def test_the_packages_carry_the_licences_of_what_is_linked(made_packages):
    with zipfile.ZipFile(made_packages.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith("THIRD_PARTY_LICENSES"))
        in_wheel = wheel.read(name).decode()
    with tarfile.open(made_packages.tarball) as tarball:
        in_tarball = tarball.extractfile("package/THIRD_PARTY_LICENSES").read().decode()
    assert in_wheel == in_tarball
    for library, words in (("libduckdb-sys", "Permission is hereby granted"), ("tokio", "Permission is hereby granted"), ("ring", "ISC")):
        (found,) = re.findall(rf"^{library} \d[^\n]*\n=+\n(.*?)^=+$", in_wheel, re.MULTILINE | re.DOTALL)
        assert words in found, library
    assert "\nunify " not in in_wheel and "\nproptest " not in in_wheel


@pytest.mark.parametrize("release", [*hosts.RELEASES["tested"]["python"], *hosts.HOSTS["unsupported"]])
def test_python_loads_it_or_says_why_not(release, made_packages, around):
    python = packages.install_wheel(made_packages, around.folder / "environment", [hosts.folder_of("py", release)])
    script = f"""
        import duckdb, duckdb_unify
        try:
            duckdb_unify.load(duckdb.connect())
        except RuntimeError as err:
            print(err)
        con = duckdb.connect(config={{"allow_unsigned_extensions": "true"}})
        unread = con.execute("FROM range(3)")
        try:
            duckdb_unify.load(con)
        except RuntimeError as err:
            print(err)
        else:
            duckdb_unify.load(con)
            print(unread.fetchall())
            con.execute("SET unify_connections_file = '{around.connections}'")
            print(con.execute("{ORGS}").fetchall())
    """
    lines = around.run([str(python), "-c", hosts.textwrap.dedent(script)]).check().stdout.splitlines()
    if release in hosts.HOSTS["unsupported"]:
        wanted = (
            f"this duckdb_unify does not serve DuckDB v{release}, but {', '.join(hosts.SUPPORTED)}; "
            f"install the newest of them with 'pip install duckdb=={hosts.NEWEST}'"
        )
        assert lines == [wanted, wanted]
    else:
        refused = "the connection does not allow unsigned extensions; connect with duckdb.connect(..., config={'allow_unsigned_extensions': 'true'})"
        assert lines == [refused, "[(0,), (1,), (2,)]", "[('acme',), ('globex',), ('initech',)]"]


def test_pip_chooses_a_duckdb_that_is_supported(made_packages, around):
    fakes = around.folder / "fakes"
    fakes.mkdir()
    # Newer than all that are supported, and between two of them.
    for version in ("99.0.0", BETWEEN):
        packages.empty_wheel(fakes, "duckdb", version)
    python = packages.new_environment(around.folder / "environment")
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]
    install += [f"--find-links={folder}" for folder in (hosts.ROOT / "build" / "hosts" / "wheels", fakes)]
    refused = around.run([*install, f"duckdb=={BETWEEN}", str(made_packages.wheel)])
    assert refused.code != 0 and "conflicting dependencies" in refused.stderr, refused
    around.run([*install, "duckdb", str(made_packages.wheel)]).check()
    script = f"""
        import duckdb, duckdb_unify
        con = duckdb.connect(config={{"allow_unsigned_extensions": "true"}})
        duckdb_unify.load(con)
        con.execute("SET unify_connections_file = '{around.connections}'")
        print(duckdb.__version__, con.execute("{ORGS}").fetchall())
    """
    outcome = around.run([str(python), "-c", hosts.textwrap.dedent(script)]).check()
    assert outcome.stdout == f"{hosts.NEWEST} [('acme',), ('globex',), ('initech',)]\n"


@pytest.mark.parametrize(("release", "is_supported"), [(hosts.RELEASES["tested"]["node"][-1], True), ("1.5.2-r.1", False), (f"{BETWEEN}-r.1", False)])
def test_npm_takes_a_duckdb_that_is_supported(release, is_supported, made_packages, tmp_path):
    fake = tmp_path / "node-api"
    fake.mkdir()
    (fake / "package.json").write_text(json.dumps({"name": "@duckdb/node-api", "version": release}))
    command = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--prefix", str(tmp_path), str(fake), str(made_packages.tarball)]
    (tmp_path / "package.json").write_text('{"private": true}\n')
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode == 0) == is_supported and ("ERESOLVE" in done.stderr) != is_supported, done


def test_node_loads_it_or_says_why_not(node, made_packages, around):
    packages.install_tarball(made_packages, around.folder, node.release)
    script = f"""
        import {{ DuckDBInstance }} from "@duckdb/node-api";
        import {{ load }} from "duckdb-unify";

        const strict = await (await DuckDBInstance.create()).connect();
        await load(strict).catch((err) => console.log(err.message));
        const old = {{ runAndReadAll: async () => ({{ getRows: () => [["v1.4.4", true]] }}) }};
        await load(old).catch((err) => console.log(err.message));
        const instance = await DuckDBInstance.create("x.duckdb", {{ allow_unsigned_extensions: "true" }});
        const connection = await instance.connect();
        await load(connection);
        await load(connection);
        await connection.run("SET unify_connections_file = '{around.connections}'");
        console.log(JSON.stringify((await connection.runAndReadAll("{ORGS}")).getRows()));
    """
    (around.folder / "first.mjs").write_text(script)
    lines = around.run(["node", "first.mjs"]).check().stdout.splitlines()
    assert lines == [
        'the connection does not allow unsigned extensions; create the instance with DuckDBInstance.create(path, { allow_unsigned_extensions: "true" })',
        f"this duckdb-unify does not serve DuckDB v1.4.4, but {', '.join(hosts.SUPPORTED)}; "
        f"install one of them with 'npm install @duckdb/node-api@{hosts.RELEASES['tested']['node'][-1]}'",
        '[["acme"],["globex"],["initech"]]',
    ]


def test_the_npm_package_says_what_it_is(made_packages, around, node):
    packages.install_tarball(made_packages, around.folder, node.release)
    about = json.loads((around.folder / "node_modules" / "duckdb-unify" / "package.json").read_text())
    assert [about[key] for key in ("version", "license", "os", "libc")] == [CARGO["version"], CARGO["license"], ["linux"], ["glibc"]]
    assert about["cpu"] == [{"x86_64": "x64", "aarch64": "arm64"}[packages.tag_of_this_machine()]]


def test_the_readmes_of_the_packages_run(made_packages, around, node):
    python = packages.install_wheel(made_packages, around.folder / "environment", [hosts.folder_of("py", hosts.RELEASES["tested"]["python"][0])])
    (block,) = pages.blocks("packaging/python/README.md")
    assert "airtable" in around.run([str(python), "-c", block.text]).check().stdout
    packages.install_tarball(made_packages, around.folder, node.release)
    (block,) = pages.blocks("packaging/node/README.md")
    (around.folder / "readme.mjs").write_text(block.text.replace("my.duckdb", "node.duckdb"))
    assert "airtable" in around.run(["node", "readme.mjs"]).check().stdout


def test_an_extension_of_another_version_is_refused(extension, tmp_path):
    other = tmp_path / "unify.duckdb_extension"
    footer = bytearray(extension.read_bytes()[-512:])
    footer[4 * 32:5 * 32] = b"9.9.9".ljust(32, b"\0")
    other.write_bytes(footer)
    done = subprocess.run([*packages.BUILDER, other, tmp_path / "out"], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and f"is version '9.9.9' for 'linux_" in done.stderr and not (tmp_path / "out").exists(), done
