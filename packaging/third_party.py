"""The licence texts of what is linked into the extension, as its packages carry them."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Names of files with a licence, in lower case.
LICENCES = ("licen", "copying", "notice", "unlicense", "copyright")


def texts() -> str:
    """Returns all of them, crate by crate, as cargo found them when it built the extension."""
    folders = {(package["name"], package["version"]): pathlib.Path(package["manifest_path"]).parent
               for package in json.loads(cargo("metadata", "--format-version", "1"))["packages"]}
    lines = cargo("tree", "--package", "unify", "--edges", "normal", "--prefix", "none", "--format", "{p}|{l}").splitlines()
    linked = sorted({line.removesuffix(" (*)") for line in lines} - {""})
    seen: dict[str, str] = {}
    parts = ["Unify links the libraries below. Each keeps its own licence.\n"]
    for line in linked:
        package, licence = line.split("|")
        name, version = package.split()[:2]
        folder = folders[name, version.removeprefix("v")]
        if folder == ROOT:
            continue
        parts.append(f"{'=' * 78}\n{name} {version.removeprefix('v')}: {licence}\n{'=' * 78}\n")
        found = sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(LICENCES))
        for text in [path.read_text(errors="replace").strip() for path in found]:
            # Many have the same, but for white space.
            first = seen.setdefault(" ".join(text.split()), name)
            parts.append(text + "\n" if first == name else f"As of {first}, above.\n")
        if not found:
            parts.append("Its package has no text.\n")
    return "\n".join(parts)


def cargo(*arguments: str) -> str:
    command = ["cargo", arguments[0], "--locked", "--offline", *arguments[1:]]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"third_party.py: '{' '.join(command)}' ended with {done.returncode}")
    return done.stdout
