"""README: every Python block runs as it stands against the emulator over HTTP, and the quickstart works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator
from tests.faults.external_servers import run_redis
from tests.support.recipes import run_recipe

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[str, str]]:
    """Give the fenced blocks of a language, each with the heading that it stands under."""
    found: list[tuple[str, str]] = []
    heading = ""
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        heading = match[1] or heading
        if match[2] == language:
            found.append((heading, match[3]))
    return found


@pytest.fixture(scope="module")
def server() -> Generator[dict[str, str], None, None]:
    """Run the emulator as a process of its own."""
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str, None, None]:
    """Run a Redis."""
    with run_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


def test_all_methods_are_listed() -> None:
    """The table has every public method of every namespace, and none that is not there."""
    with Emulator().admin() as admin:
        for namespace, listed in re.findall(r"^\| `admin\.(\w+)` \| (.+) \|$", PAGE, re.MULTILINE):
            methods = {name for name in dir(getattr(admin, namespace)) if not name.startswith("_")}
            assert set(re.findall(r"`(\w+)`", listed)) == methods
        (others,) = re.findall(r"^\| `admin` \| (.+) \|$", PAGE, re.MULTILINE)
        assert all(callable(getattr(admin, name)) for name in re.findall(r"`(\w+)`", others))


SCRIPTS = [(name, text) for name, text in blocks("python") if "def test_" not in text]
RECIPES = [(name, text) for name, text in blocks("python") if "def test_" in text]
CURL = [(name, text) for name, text in blocks("sh") if "curl" in text]
COMMANDS = [(name, text) for name, text in blocks("sh") if "curl" not in text]


def each(found: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """Run a test for each block, under its heading."""
    return pytest.mark.parametrize("block", [text for _, text in found], ids=[name for name, _ in found])


@each(SCRIPTS)
def test_every_python_block_runs_as_it_stands(
    block: str,
    server: dict[str, str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A newcomer can copy any block: with the credentials in the environment it runs."""
    if "REDIS_URL" in block:
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_url"))
    monkeypatch.setenv("PINECONE_CLIENT_ID", server["client_id"])
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", server["client_secret"])
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", server["host"])
    monkeypatch.setenv("PINECONE_OAUTH_URL", server["oauth_url"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


@each(RECIPES)
def test_every_recipe_for_pytest_passes(block: str, tmp_path: Path) -> None:
    """A newcomer can copy the tests of a recipe into a file of their own, and they pass."""
    assert f"{block.count('def test_')} passed" in run_recipe(tmp_path, block)


@each(CURL)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_curl_example_is_answered_with_success(block: str, server: dict[str, str]) -> None:
    """With the address of the running emulator every line works, one after the other."""
    command = "set -euo pipefail\n" + block.replace("curl", "curl --fail-with-body")
    env = os.environ | {"CONTROL": server["control_url"]}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@each(COMMANDS)
def test_every_shell_block_runs_from_any_folder(block: str, tmp_path: Path) -> None:
    """The commands work from any folder, and end with success."""
    command = block.replace("./scripts/", f"{ROOT}/scripts/")
    done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("the emulator is stopped")


def test_every_link_within_the_page_leads_to_a_heading() -> None:
    """The table of contents names what is there, and all of it."""
    headings = re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links == anchors


@pytest.mark.parametrize("path", re.findall(r"\]\((?!#|https:)([^)]+)\)", PAGE))
def test_every_link_to_a_file_leads_to_one(path: str) -> None:
    """Pages, pictures and the license are where the page says."""
    assert (ROOT / path).is_file()
