"""Makes the wheel and the npm package that carry the built extension: packages.py EXTENSION FOLDER.

It runs in build/hosts/packages, whose packages do the work: flit_core makes a wheel, auditwheel tells which systems the extension
runs on, `wheel` gives it their tag. The same extension makes the same files, byte for byte.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

import requirements
import third_party

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGING = ROOT / "packaging"
CARGO = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
SUPPORTED = [release for line in json.loads((ROOT / "extension_config" / "releases.json").read_text())["lines"] for release in line["releases"]]
# DuckDB's names of platforms, as the extension's footer has them, and those of the two registries.
MACHINES = {"linux_amd64": ("linux_x86_64", "x64"), "linux_arm64": ("linux_aarch64", "arm64")}
# Files in a package have this time: 1980 is the first year of a zip, and npm has one of its own.
EPOCH = "315532800"


def footer_of(extension: pathlib.Path) -> tuple[str, str]:
    """Returns platform and version, as the extension's last 512 bytes say them to DuckDB."""
    fields = extension.read_bytes()[-512:-256]
    texts = [fields[at:at + 32].rstrip(b"\0").decode() for at in range(0, 256, 32)]
    return texts[6], texts[4]


def stage(folder: pathlib.Path, source: str, package: pathlib.Path, extension: pathlib.Path) -> None:
    """Copies a package's files, and with them what it carries."""
    shutil.copytree(PACKAGING / source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "THIRD_PARTY_LICENSES").write_text(third_party.texts())
    shutil.copy(extension, package / "unify.duckdb_extension")
    shutil.copy(ROOT / "extension_config" / "releases.json", package)
    for path in [*folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def wheel(folder: pathlib.Path, extension: pathlib.Path, platform: str) -> pathlib.Path:
    """Makes the wheel in `folder` and returns its path."""
    project = folder / "python"
    stage(project, "python", project / "duckdb_unify", extension)
    text = (project / "pyproject.toml").read_text()
    values = {key: CARGO[key] for key in ("version", "description", "license")}
    values["dependencies"] = [requirements.python_requirement(SUPPORTED)]
    for key, value in values.items():
        text = "\n".join(f"{key} = {json.dumps(value)}" if line.startswith(f"{key} = ") else line for line in text.split("\n"))
    (project / "pyproject.toml").write_text(text)
    built = folder / run([sys.executable, "-c", f"import flit_core.buildapi as api; print(api.build_wheel({str(folder)!r}))"], project)
    # auditwheel judges a wheel by its tag, so it gets the machine's before it says the system's.
    built = tagged(built, platform)
    return tagged(built, json.loads(run([sys.executable, "-m", "auditwheel", "show", "--json", str(built)], folder))["overall_tag"])


def tagged(built: pathlib.Path, platform: str) -> pathlib.Path:
    """Makes the wheel one for a platform and returns its new path."""
    folder = built.parent
    run([sys.executable, "-m", "wheel", "unpack", str(built)], folder)
    unpacked = next(folder.glob("duckdb_unify-*/"))
    about = next(unpacked.glob("*.dist-info/WHEEL"))
    lines = [line for line in about.read_text().splitlines() if line and line.split(":")[0] not in ("Root-Is-Purelib", "Tag")]
    about.write_text("\n".join([*lines, "Root-Is-Purelib: false", f"Tag: py3-none-{platform}", ""]))
    built.unlink()
    run([sys.executable, "-m", "wheel", "pack", str(unpacked)], folder)
    shutil.rmtree(unpacked)
    return next(folder.glob("duckdb_unify-*.whl"))


def npm_package(folder: pathlib.Path, extension: pathlib.Path, cpu: str) -> pathlib.Path:
    """Makes the npm package in `folder` and returns its path."""
    project = folder / "node"
    stage(project, "node", project, extension)
    about = json.loads((project / "package.json").read_text())
    about |= {key: CARGO[key] for key in ("version", "description", "license")} | {"cpu": [cpu]}
    about["peerDependencies"] = {"@duckdb/node-api": requirements.npm_range(SUPPORTED)}
    (project / "package.json").write_text(json.dumps(about, indent=2) + "\n")
    packed = json.loads(run(["npm", "pack", "--json", "--pack-destination", str(folder)], project))
    return folder / packed[0]["filename"]


def run(command: list[str], folder: pathlib.Path) -> str:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"packages.py: '{' '.join(command)}' ended with {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def main() -> None:
    extension, target = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    platform, version = footer_of(extension)
    if version != CARGO["version"] or platform not in MACHINES:
        sys.exit(f"packages.py: {extension} is version '{version}' for '{platform}'; expected {CARGO['version']} for one of {', '.join(MACHINES)}")
    machine, cpu = MACHINES[platform]
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for made in (wheel(folder, extension, machine), npm_package(folder, extension, cpu)):
            shutil.move(made, target / made.name)
            print(target / made.name)


if __name__ == "__main__":
    main()
