"""The wheel and the npm package, made from the built extension and installed into environments of their own."""

import os
import pathlib
import subprocess
import venv
import zipfile
from dataclasses import dataclass

import hosts

BUILDER = [str(hosts.ROOT / "build" / "hosts" / "packages" / "bin" / "python"), str(hosts.ROOT / "packaging" / "packages.py")]
# The Python that has pip; nothing is asked of a registry.
PIP = str(hosts.ROOT / "build" / "hosts" / "pip" / "bin" / "python")
PIP_INSTALL = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]


@dataclass
class Packages:
    """The files that `make package` makes."""

    wheel: pathlib.Path
    tarball: pathlib.Path


def make(extension: pathlib.Path, folder: pathlib.Path) -> Packages:
    run([*BUILDER, str(extension), str(folder)], hosts.ROOT)
    (wheel,), (tarball,) = folder.glob("*.whl"), folder.glob("*.tgz")
    return Packages(wheel, tarball)


def site_packages(environment: pathlib.Path) -> pathlib.Path:
    return next(environment.glob("lib/python*/site-packages"))


def new_environment(path: pathlib.Path) -> pathlib.Path:
    """Makes an environment with nothing but pip. Returns its Python."""
    venv.EnvBuilder(with_pip=True).create(path)
    return path / "bin" / "python"


def install_wheel(packages: Packages, environment: pathlib.Path, beside: list[pathlib.Path]) -> pathlib.Path:
    """Makes a new environment with the wheel, as pip installs it, and what those environments have. Returns its Python."""
    python = new_environment(environment)
    run([str(python), *PIP_INSTALL, str(packages.wheel)], environment)
    lines = [str(site_packages(other)) for other in beside]
    (site_packages(environment) / "beside.pth").write_text("\n".join(lines) + "\n")
    return python


def empty_wheel(folder: pathlib.Path, name: str, version: str) -> pathlib.Path:
    """Makes a wheel that has nothing but a name and a version."""
    about = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def install_tarball(packages: Packages, folder: pathlib.Path, release: str) -> None:
    """Installs the npm package into a folder, as npm does it, and puts @duckdb/node-api of a release beside it."""
    (folder / "package.json").write_text('{"private": true}\n')
    # The peer is put there below: npm would ask the registry for it.
    run(["npm", "install", "--offline", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error", str(packages.tarball)], folder)
    (folder / "node_modules" / "@duckdb").symlink_to(hosts.folder_of("node", release) / "node_modules" / "@duckdb")


def run(command: list[str], folder: pathlib.Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NODE", "npm"))}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def tag_of_this_machine() -> str:
    """Returns the machine's part of a platform tag: x86_64 or aarch64."""
    return os.uname().machine
