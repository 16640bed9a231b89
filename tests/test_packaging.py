"""The wheel: reproducible, with both packages, typed, and three runtime dependencies; scripts/release installs it."""

from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path

import pytest

import release


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder to build in."""
    return tmp_path_factory.mktemp("release")


@pytest.fixture(scope="module")
def build(folder: Path) -> release.Build:
    """Build the release; two folders, clocks, file modes and locales, and the sdist, must give the same bytes."""
    return release.build_reproducibly(folder, [sys.executable])


@pytest.fixture(scope="module")
def wheel(build: release.Build) -> Path:
    """Return the wheel."""
    return build.wheel


def test_a_release_has_the_files_of_both_packages_and_no_others(build: release.Build, folder: Path) -> None:
    """Every build is the same, and has both typed packages, the page of access, and no other files."""
    release.check_contents(build, folder / "sources")
    names = release.read_archive(build.wheel).keys()
    assert {"pinecone_admin/py.typed", "generated_client/py.typed"} <= names
    assert {f"pinecone_admin/workflows/access_page.{kind}" for kind in ("css", "html", "js")} <= names


def test_the_metadata_is_that_of_a_package_index(build: release.Build) -> None:
    """A package index accepts the metadata of the wheel and the sdist, and renders their README."""
    release.check_metadata(build)


def test_the_wheel_has_three_dependencies(wheel: Path) -> None:
    """The wheel depends on three packages, and all others are extras."""
    (metadata,) = [text for name, text in release.read_archive(wheel).items() if name.endswith("/METADATA")]
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
