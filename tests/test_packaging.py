"""The wheel: reproducible, with both packages, typed, and three runtime dependencies; scripts/release installs it."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import release
from pinecone_admin import __version__

SDIST_FILES = {"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "pyproject.toml", ".gitignore", "PKG-INFO"}
DIST_INFO_FILES = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
WORKFLOWS = Path(__file__).parents[1] / ".github/workflows"
PINNED_ACTION = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
SECRET = re.compile(rb"pcsk_\w{20}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build the release; two folders, time zones and orders of hashes must give the same bytes."""
    return release.build_twice(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def wheel(build: list[Path]) -> Path:
    """Return the wheel."""
    return build[0]


def read_archive(file: Path) -> dict[str, bytes]:
    """Return the files of a wheel or an sdist, by their names within it."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(file) as sdist:
        members = [(member.name, sdist.extractfile(member)) for member in sdist]
        return {name.partition("/")[2]: content.read() for name, content in members if content is not None}


def test_a_release_has_the_files_of_both_packages_and_no_others(build: list[Path]) -> None:
    """Both files have the two typed packages, what describes them, and nothing that looks like a secret."""
    sources = build[0].parents[1]
    packages = {
        path.relative_to(sources).as_posix()
        for name in ("generated_client", "pinecone_admin")
        for path in (sources / name).rglob("*.*")
    }
    assert {"pinecone_admin/py.typed", "generated_client/py.typed"} <= packages
    dist_info = {f"pinecone_admin-{__version__}.dist-info/{name}" for name in DIST_INFO_FILES}
    for file, others in zip(build, (dist_info, SDIST_FILES), strict=True):
        contents = read_archive(file)
        assert contents.keys() == packages | others
        assert not [name for name, content in contents.items() if SECRET.search(content)]


def test_the_wheel_is_the_same_from_the_sdist(build: list[Path], tmp_path: Path) -> None:
    """A build from the sdist equals the release."""
    wheel, sdist = build
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    moment = release.read_release_date((tmp_path / sdist.name[:-7] / "CHANGELOG.md").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    release.run(command, cwd=tmp_path / sdist.name[:-7], SOURCE_DATE_EPOCH=f"{moment.timestamp():.0f}")
    assert (tmp_path / sdist.name[:-7] / "dist" / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_metadata_is_that_of_a_package_index(build: list[Path]) -> None:
    """A package index accepts the metadata of the wheel and the sdist, and renders their README."""
    release.run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, build)], cwd=release.ROOT)


def test_the_wheel_has_three_dependencies(wheel: Path) -> None:
    """The wheel depends on three packages, and all others are extras."""
    (metadata,) = [text for name, text in read_archive(wheel).items() if name.endswith("/METADATA")]
    requirements = Parser().parsestr(metadata.decode()).get_all("Requires-Dist") or []
    needed = {line.split(">")[0].split("<")[0].strip() for line in requirements if "extra ==" not in line}
    assert needed == {"attrs", "httpx", "python-dateutil"}


def test_the_wheel_works_with_only_its_dependencies(wheel: Path, tmp_path: Path) -> None:
    """Client, emulator, models and operations work without the packages of the extras."""
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(wheel)!r})\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'starlette', 'uvicorn', 'trio', 'rich', 'pytest', 'pinecone', 'ruamel'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import asyncio, pinecone_admin\n"
        f"assert pinecone_admin.__file__.startswith({str(wheel)!r})\n"
        "from pinecone_admin.emulator import Emulator\n"
        "import pinecone_admin.operations, pinecone_admin.models, pinecone_admin.retry, pinecone_admin.auth\n"
        "emulator = Emulator()\n"
        "with emulator.admin() as admin:\n"
        "    admin.projects.create(name='x')\n"
        "async def main():\n"
        "    async with emulator.async_admin() as admin:\n"
        "        print([project.name for project in await admin.projects.list()])\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "['x']\n"), done.stderr


def test_each_action_of_the_pipelines_is_pinned_to_a_commit() -> None:
    """A tag can be moved to other code, a commit cannot; the comment names the release of the commit."""
    used = [found for file in WORKFLOWS.glob("*.yml") for found in re.findall(r"uses: (.*)", file.read_text("utf-8"))]
    others = [action for action in used if not action.startswith("./")]
    assert len(others) < len(used), "the release calls the tests of this project"
    assert not [action for action in others if not PINNED_ACTION.fullmatch(action)]
