"""Fetches the headers of DuckDB releases from the source packages of DuckDB's Python package: headers.py [RELEASE...].

Without arguments it takes the releases whose headers releases.json has from there. It prints for each release the folder that has DuckDB's sources below build/headers, and fetches what is not there yet. The bridge of a
line whose headers cargo does not have is compiled against them. Nothing of DuckDB is built.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEADERS = ROOT / "build" / "headers"
# What the bridge includes, and the definitions that it repeats; the rest of the package is left out.
KEPT = ("src/include/", "src/main/", "src/common/constants.cpp", "third_party/")


def pip(*arguments: str, folder: pathlib.Path) -> str:
    """Runs pip in an environment of its own below `folder`, as a system's Python may have none. Returns what it prints."""
    python = folder / "pip" / "bin" / "python"
    if not python.exists():
        venv.EnvBuilder(with_pip=True).create(folder / "pip")
    command = [str(python), "-m", "pip", *arguments, "--disable-pip-version-check"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"headers.py: '{' '.join(arguments)}' ended with {done.returncode}; is the package registry reachable?\n{done.stderr}")
    return done.stdout


def fetch(release: str, folder: pathlib.Path) -> pathlib.Path:
    """Downloads the source package of a release into `folder` and returns its path."""
    # pip asks the package for its metadata, which takes the tools of its build and builds nothing.
    pip(
        "download", "--quiet", "--no-deps", "--no-binary", "duckdb", "--ignore-requires-python", "--dest", str(folder), f"duckdb=={release}",
        folder=folder,
    )
    return next(folder.glob("duckdb-*.tar.gz"))


def unpack(package: pathlib.Path, to: pathlib.Path) -> None:
    """Unpacks what is kept of DuckDB's own sources, which the package has below external/duckdb."""
    with tarfile.open(package) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name)
            inside = "/".join(path.parts[3:])
            if not member.isfile() or ".." in path.parts or path.parts[1:3] != ("external", "duckdb") or not inside.startswith(KEPT):
                continue
            file = to / inside
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.extractfile(member) as source, file.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    if not (to / "src" / "include" / "duckdb.h").exists():
        sys.exit(f"headers.py: {package.name} has no external/duckdb/src/include/duckdb.h")


def headers_of(release: str) -> pathlib.Path:
    """Returns the folder with the headers of a release such as 2.0.1; fetches them if need be."""
    path = HEADERS / release
    if path.is_dir():
        return path
    HEADERS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HEADERS, prefix=".") as name:
        folder = pathlib.Path(name)
        unpack(fetch(release, folder), folder / "sources")
        try:
            (folder / "sources").rename(path)
        except OSError:
            # Another process was faster.
            assert path.is_dir(), path
    return path


def main() -> None:
    lines = json.loads((ROOT / "extension_config" / "releases.json").read_text())["lines"]
    named = [line["headers"]["python"] for line in lines if "python" in line["headers"]]
    for release in sys.argv[1:] or named:
        print(headers_of(release))


if __name__ == "__main__":
    main()
