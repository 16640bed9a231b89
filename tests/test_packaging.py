"""The wheel: both packages, typed, with three runtime dependencies."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("pinecone_admin-*.whl"))


def test_the_wheel_contains_only_both_packages(wheel: Path) -> None:
    """The wheel contains both typed packages and the license, and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"pinecone_admin/py.typed", "generated_client/py.typed", "pinecone_admin/__init__.py"} <= names
    assert {f"pinecone_admin/workflows/access_page.{kind}" for kind in ("css", "html", "js")} <= names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pinecone_admin", "generated_client"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_has_three_dependencies(wheel: Path) -> None:
    """The wheel depends on three packages, and all others are extras."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    requirements = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    needed = {line.split(">")[0].split("<")[0].strip() for line in requirements if "extra ==" not in line}
    assert needed == {"attrs", "httpx", "python-dateutil"}


def test_the_readme_of_the_wheel_has_no_relative_links(wheel: Path) -> None:
    """The description that a package index shows is the README, with links that work there."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    description = str(Parser().parsestr(archive.read(metadata).decode()).get_payload())
    assert description.startswith("# pinecone-admin\n")
    assert re.findall(r"\]\((?!https:)[^)]+\)", description) == []


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
