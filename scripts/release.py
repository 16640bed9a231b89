#!/usr/bin/env python3
"""Build the wheel and the sdist, check them, and try them in fresh environments.

Usage: release.py [--check]

Called by scripts/release, which says more.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, product
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from pinecone_admin import __version__

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("generated_client", "pinecone_admin")
SDIST_FILES = {"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "pyproject.toml", ".gitignore", "PKG-INFO"}
DIST_INFO_FILES = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
SECRET = re.compile(rb"pcsk_\w{20}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.")

BUILD_PROGRAM = """
import sys, time
shift, real = float(sys.argv.pop(1)), time.time
time.time = lambda: real() + shift
from hatchling.cli import hatchling
sys.exit(hatchling())
"""

IN_PROCESS_JOB = """
import asyncio
import pinecone_admin.auth, pinecone_admin.models, pinecone_admin.operations, pinecone_admin.retry
from pinecone_admin.emulator import Emulator

async def list_projects(emulator):
    async with emulator.async_admin() as admin:
        return [project.name for project in await admin.projects.list()]

emulator = Emulator()
with emulator.admin() as admin:
    admin.projects.create(name="first")
assert asyncio.run(list_projects(emulator)) == ["first"]
"""


COMMAND_LINE_JOB = """
import os, subprocess, sys
from pinecone_admin.emulator import Emulator, serving

COMMANDS = [
    "--version",
    "project create first --yes",
    *(f"project list --output {form}" for form in ("table", "json", "yaml", "csv")),
    "project list --query [].name",
    "profile list",
    "access",
]
emulator = Emulator()
with serving(emulator) as host:
    os.environ |= {"PINECONE_CONTROLLER_HOST": host, "PINECONE_OAUTH_URL": emulator.oauth_url}
    os.environ |= {"PINECONE_CLIENT_ID": emulator.client_id, "PINECONE_CLIENT_SECRET": emulator.client_secret}
    os.environ["XDG_CONFIG_HOME"] = os.getcwd()  # without the profiles of whoever runs this
    for command in COMMANDS:
        subprocess.run([os.path.dirname(sys.executable) + "/pinecone-admin", *command.split()], check=True)
"""

PRINT_VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""


class ReleaseError(Exception):
    """The release is not as it should be."""


class Surroundings(NamedTuple):
    """What must not change a byte of a build.

    Attributes:
        folder: Name of the folder that is built in.
        python: Interpreter that builds; all use the build backend of the environment of this one.
        umask: File mode creation mask, of the checkout and of the build.
        clock_shift: Seconds to add to the clock.
        modified_at: Modification time of all files, in seconds since 1970; None for that of the copy.
        environment: Environment variables.
    """

    folder: str
    python: str
    umask: int
    clock_shift: float
    modified_at: float | None
    environment: Mapping[str, str]


class Build(NamedTuple):
    """The files of a release."""

    wheel: Path
    sdist: Path


def main(arguments: Sequence[str]) -> int:
    """Make the release, or only check it, and return the exit status."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: scripts/release [--check]\n")
        return 2
    try:
        with tempfile.TemporaryDirectory() as folder:
            if arguments:
                check_release(Path(folder))
                print("release: all checks passed")
            else:
                check_readiness()
                write_release(check_release(Path(folder)))
                print("release: written to dist/")
    except ReleaseError as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    return 0


def write_release(build: Build) -> None:
    """Copy the files of a release to dist/."""
    (ROOT / "dist").mkdir(exist_ok=True)
    for file in build:
        shutil.copy(file, ROOT / "dist")


def check_readiness() -> None:
    """Raise unless everything is committed and the repository has a URL."""
    if run(["git", "status", "--porcelain"], cwd=ROOT):
        raise ReleaseError("commit all changes first: a release can be rebuilt only from a commit")
    if "Repository" not in read_project(ROOT)["urls"]:
        raise ReleaseError(
            'pyproject.toml has no URL of the repository: add Repository = "https://…" to [project.urls]'
        )


def check_release(folder: Path) -> Build:
    """Build, check and try the release in a folder, and return what was built."""
    pythons = find_pythons(read_project(ROOT)["requires-python"].removeprefix(">="))
    print(f"building version {__version__} with Python {' and '.join(pythons)}", flush=True)
    build = build_reproducibly(folder, list(pythons.values()))
    check_contents(build, folder / "sources")
    check_metadata(build)
    for file in build:
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}", flush=True)
    for number, (file, version, bound) in enumerate(product(build, pythons, ("lowest", "newest"))):
        place = folder / f"environment-{number}"
        versions = try_distribution(file, place, pythons[version], bound)
        print(f"{file.name} works with Python {version} and the {bound} dependencies: {versions}", flush=True)
        shutil.rmtree(place)
    return build


# ---- building


def read_project(root: Path) -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def read_release_date(changelog: str) -> datetime:
    """Return the date of the newest version in a changelog, which must be the version of the package."""
    found = re.search(r"^## (\d\S*) - (\d{4}-\d{2}-\d{2})$", changelog, re.MULTILINE)
    if found is None or found[1] != __version__:
        raise ReleaseError(f"CHANGELOG.md must begin with the version {__version__} and a date")
    return datetime.fromisoformat(found[2]).replace(tzinfo=UTC)


def build_reproducibly(folder: Path, pythons: Sequence[str]) -> Build:
    """Build in two surroundings and from the sdist; raise if a byte differs, else return the first build."""
    copy_sources(folder / "sources")
    first, second = (build_in(each, folder) for each in list_surroundings(pythons))
    with tarfile.open(first.sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / first.sdist.name.removesuffix(".tar.gz")
    run_build(unpacked, folder / "from-sdist", list_surroundings(pythons)[0], ("wheel",))
    for name, other in (
        ("the second wheel", second.wheel),
        ("the second sdist", second.sdist),
        ("the wheel from the sdist", folder / "from-sdist" / first.wheel.name),
    ):
        original = first.sdist if other.suffix == ".gz" else first.wheel
        if original.read_bytes() != other.read_bytes():
            raise ReleaseError(f"{name} differs from the first: {describe_difference(original, other)}")
    return first


def list_surroundings(pythons: Sequence[str]) -> tuple[Surroundings, Surroundings]:
    """Return two surroundings that have nothing in common."""
    return (
        Surroundings("first", pythons[0], 0o022, 0, None, {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
        Surroundings(
            "second ü",
            pythons[-1],
            0o077,
            400 * 86400,
            datetime(2001, 2, 3, tzinfo=UTC).timestamp(),
            {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
        ),
    )


def copy_sources(target: Path) -> None:
    """Copy every file that git does not ignore."""
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split("\0")
    for name in (each for each in names if (ROOT / each).is_file()):  # git also names those that are deleted
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, file)
    if url := read_project(target)["urls"].get("Repository"):
        for page in target.glob("*.md"):
            page.write_text(make_links_absolute(page.read_text(encoding="utf-8"), url), encoding="utf-8")


def build_in(surroundings: Surroundings, folder: Path) -> Build:
    """Build a copy of the sources in surroundings."""
    tree, output = folder / surroundings.folder, folder / f"{surroundings.folder}-dist"
    shutil.copytree(folder / "sources", tree)
    for path in tree.rglob("*"):
        path.chmod(path.stat().st_mode & ~surroundings.umask)
        if surroundings.modified_at is not None:
            os.utime(path, (surroundings.modified_at, surroundings.modified_at))
    run_build(tree, output, surroundings, ("wheel", "sdist"))
    return Build(next(output.glob("*.whl")), next(output.glob("*.tar.gz")))


def make_links_absolute(page: str, url: str) -> str:
    """Return a page in Markdown with links to this version in the repository in place of relative links."""

    def make_absolute(match: re.Match[str]) -> str:
        kind = "raw" if match["picture"] else "blob"  # a page about a picture is no picture
        return f"{match['picture']}{match['text']}({url.rstrip('/')}/{kind}/v{__version__}/{match['path']})"

    return re.sub(r"(?P<picture>!?)(?P<text>\[[^]]*\])\((?!\w+:|#)(?P<path>[^)]+)\)", make_absolute, page)


def run_build(tree: Path, output: Path, surroundings: Surroundings, targets: Sequence[str]) -> None:
    """Build a tree with the build backend of this environment."""
    date = read_release_date((tree / "CHANGELOG.md").read_text(encoding="utf-8"))
    environment = {**clean_environment(), **surroundings.environment}
    environment |= {"SOURCE_DATE_EPOCH": f"{date.timestamp():.0f}", "PYTHONPATH": sysconfig.get_path("purelib")}
    command = [surroundings.python, "-c", BUILD_PROGRAM, str(surroundings.clock_shift), "build", "-d", str(output)]
    command += [word for target in targets for word in ("-t", target)]
    run(command, cwd=tree, environment=environment, umask=surroundings.umask)


def describe_difference(first: Path, second: Path) -> str:
    """Return which files of two archives differ, or that only their form does."""
    contents = [read_archive(each) for each in (first, second)]
    names = sorted(name for name in contents[0].keys() | contents[1].keys() if len({c.get(name) for c in contents}) > 1)
    return ", ".join(names) or "the same files in other archives"


# ---- contents


def read_archive(file: Path) -> dict[str, bytes]:
    """Return the files of a wheel or an sdist, by their names within it."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(file) as sdist:
        members = [(member.name, sdist.extractfile(member)) for member in sdist]
        return {name.partition("/")[2]: content.read() for name, content in members if content is not None}


def check_contents(build: Build, tree: Path) -> None:
    """Raise unless the files contain both packages and what describes them, nothing else, and no secret."""
    packages = {path.relative_to(tree).as_posix() for name in PACKAGES for path in (tree / name).rglob("*.*")}
    dist_info = {f"pinecone_admin-{__version__}.dist-info/{name}" for name in DIST_INFO_FILES}
    for file, expected in ((build.wheel, packages | dist_info), (build.sdist, packages | SDIST_FILES)):
        contents = read_archive(file)
        if wrong := sorted(contents.keys() ^ expected):
            raise ReleaseError(f"{file.name} misses, or should not contain: {', '.join(wrong)}")
        if secret := sorted(name for name, content in contents.items() if SECRET.search(content)):
            raise ReleaseError(f"{file.name} may contain a secret: {', '.join(secret)}")


def check_metadata(build: Build) -> None:
    """Raise unless a package index would accept the metadata and render the README."""
    run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, build)], cwd=ROOT)


# ---- trying


def find_pythons(oldest: str) -> dict[str, str]:
    """Return the oldest Python that is supported and the newest one on this machine, by their versions."""
    _, minor = oldest.split(".")
    candidates = [f"python3.{number}" for number in range(int(minor), int(minor) + 20)]
    found = {version: path for name in candidates for version, path in find_interpreter(name)}
    if not next(iter(found), "").startswith(f"{oldest}."):
        raise ReleaseError(f"Python {oldest} was not found as python{oldest}")
    versions = list(found)
    return {version: found[version] for version in (versions[0], versions[-1])}


def find_interpreter(name: str) -> Iterator[tuple[str, str]]:
    """Yield the version and the path of the first working interpreter with a name, if there is one."""
    for folder in os.get_exec_path():
        if path := shutil.which(name, path=folder):
            command = [path, "-c", "import platform, venv; print(platform.python_version())"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                yield done.stdout.strip(), path
                return


def try_distribution(file: Path, place: Path, python: str, bound: str) -> str:
    """Install a file in a fresh environment and use it there; return the versions of its dependencies."""
    run([python, "-m", "venv", str(place)], cwd=place.parent)
    interpreter = str(place / "bin/python")
    project = read_project(ROOT)
    extras: Mapping[str, list[str]] = project["optional-dependencies"]
    requirements = [Requirement(text) for text in chain(project["dependencies"], *extras.values())]
    constraints = place / "constraints.txt"
    constraints.write_text("\n".join(list_lowest_versions(requirements)) if bound == "lowest" else "")
    pip = [interpreter, "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--constraint", str(constraints)]

    run([*install, str(file)], cwd=place)
    run([interpreter, "-W", "error", "-c", IN_PROCESS_JOB], cwd=place)
    run([*install, f"{file}[{','.join(extras)}]", "pytest"], cwd=place)
    run([*pip, "check"], cwd=place)
    use_extras(place)
    names = [requirement.name for requirement in requirements]
    return run([interpreter, "-c", PRINT_VERSIONS, *dict.fromkeys(names)], cwd=place).strip()


def list_lowest_versions(requirements: Iterable[Requirement]) -> list[str]:
    """Return constraints that pin every requirement to its lowest version."""
    bounds = [(each.name, bound) for each in requirements for bound in each.specifier]
    return [f"{name}=={bound.version}" for name, bound in bounds if bound.operator == ">="]


def use_extras(place: Path) -> None:
    """Run the quickstart's job, the fixture's example and the command line, outside the checkout."""
    shutil.copy(ROOT / "scripts/main_job.py", place)
    run([str(place / "bin/python"), "main_job.py"], cwd=place)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (example,) = [block for block in blocks if "pinecone_emulator" in block]
    (place / "test_example.py").write_text(example, encoding="utf-8")
    run([str(place / "bin/python"), "-m", "pytest", "-q", "-W", "error", "test_example.py"], cwd=place)
    printed = run([str(place / "bin/python"), "-W", "error", "-c", COMMAND_LINE_JOB], cwd=place)
    if not printed.startswith(f"pinecone-admin {__version__}\n"):
        raise ReleaseError(f"pinecone-admin --version printed {printed.splitlines()[:1]}")


def run(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None, umask: int = -1) -> str:
    """Run a command and return its output; raise if it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment or clean_environment(),
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ReleaseError(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Return the environment without what could lead to the checkout or to an account."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PINECONE_", "PYTHON", "PYTEST"))}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
