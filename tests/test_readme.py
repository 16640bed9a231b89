"""README: every Python block runs against the emulator over HTTP, and the quickstart works."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from pinecone_admin import Admin, PineconeError, errors
from pinecone_admin.emulator import Emulator
from tests.faults.external_servers import run_redis
from tests.support.recipes import list_blocks, run_recipe

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Generator[dict[str, str], None, None]:
    """Run the emulator in a process."""
    command = [sys.executable, "-m", "pinecone_admin.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str, None, None]:
    """Run Redis."""
    with run_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


METHODS: list[tuple[str, str]] = re.findall(r"^\| `admin\.(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)


def list_public_names(value: object) -> set[str]:
    """Return the names of the public attributes of a value."""
    return {name for name in dir(value) if not name.startswith("_")}


def test_all_methods_are_listed() -> None:
    """The table lists exactly the public methods of every namespace and of the client."""
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            assert set(re.findall(r"`(\w+)`", listed)) == list_public_names(getattr(admin, namespace))
        (others,) = re.findall(r"^\| `admin` \| (.+) \|$", PAGE, re.MULTILINE)
        methods = {name for name in list_public_names(admin) if callable(getattr(admin, name))}
        assert set(re.findall(r"`(\w+)`", others)) == methods


def test_all_constructor_arguments_are_listed() -> None:
    """The table of the configuration lists exactly the arguments of the client."""
    rows = re.findall(r"^\| (.+?) \|", PAGE.partition("## Configuration")[2].partition("## ")[0], re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(inspect.signature(Admin).parameters)


def test_all_errors_are_listed_with_their_help_codes() -> None:
    """The table of errors lists every class, with its code."""
    listed = re.findall(r"^\| `(\w+)`[^|]* \| `(PA\d+)` \|", PAGE, re.MULTILINE)
    classes = {each for name in errors.__all__ if inspect.isclass(each := getattr(errors, name))}
    kinds = {each for each in classes if issubclass(each, PineconeError)}
    assert sorted(listed) == sorted((kind.__name__, kind.help_code) for kind in kinds)


def test_all_workflows_are_listed() -> None:
    """The table of workflows lists exactly the methods in italics, and says how each is previewed."""
    rows = re.findall(r"^\| (.+) \| .+ \| (`dry_run`|a plan|reads only)", PAGE, re.MULTILINE)
    listed = {name: preview for names, preview in rows for name in re.findall(r"`([\w.]+)`", names)}
    italics = [(namespace, name) for namespace, names in METHODS for name in re.findall(r"\*`(\w+)`\*", names)]
    assert listed.pop("inventory") == "reads only"
    assert listed.keys() == {f"{namespace}.{name}" for namespace, name in italics}
    with Emulator().admin() as admin:
        for namespace, name in italics:
            parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
            assert (listed[f"{namespace}.{name}"] == "a plan") == ("plan" in parameters)


def test_every_workflow_previews_or_takes_a_plan() -> None:
    """Each workflow that changes something takes dry_run, which only offboard sets by default, or a plan."""
    defaults: dict[str, object] = {}
    with Emulator().admin() as admin:
        for namespace, listed in METHODS:
            for name in re.findall(r"\*`(\w+)`\*", listed):
                parameters = inspect.signature(getattr(getattr(admin, namespace), name)).parameters
                assert ("dry_run" in parameters) != ("plan" in parameters), f"{namespace}.{name}"
                if "dry_run" in parameters:
                    defaults[f"{namespace}.{name}"] = parameters["dry_run"].default
    assert [method for method, default in defaults.items() if default is not False] == ["users.offboard"]
    assert defaults["users.offboard"] is True
    assert len(defaults) > 10


SCRIPTS = [(name, text) for name, text in list_blocks("README.md", "python") if "def test_" not in text]
RECIPES = [(name, text) for name, text in list_blocks("README.md", "python") if "def test_" in text]
CURL = [(name, text) for name, text in list_blocks("README.md", "sh") if "curl" in text]
COMMANDS = [(name, text) for name, text in list_blocks("README.md", "sh") if "curl" not in text]


def parametrize_blocks(found: list[tuple[str, str]]) -> pytest.MarkDecorator:
    """Run a test for each block, with its heading as the id."""
    return pytest.mark.parametrize("block", [text for _, text in found], ids=[name for name, _ in found])


@parametrize_blocks(SCRIPTS)
def test_every_python_block_runs(
    block: str,
    server: dict[str, str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Every Python block runs unchanged with the credentials in the environment."""
    if "REDIS_URL" in block:
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_url"))
    monkeypatch.setenv("PINECONE_CLIENT_ID", server["client_id"])
    monkeypatch.setenv("PINECONE_CLIENT_SECRET", server["client_secret"])
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", server["host"])
    monkeypatch.setenv("PINECONE_OAUTH_URL", server["oauth_url"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})


@parametrize_blocks(RECIPES)
def test_every_recipe_for_pytest_passes(block: str, tmp_path: Path) -> None:
    """The tests of every recipe pass in a file of their own."""
    assert f"{block.count('def test_')} passed" in run_recipe(tmp_path, block)


@parametrize_blocks(CURL)
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_curl_example_succeeds(block: str, server: dict[str, str]) -> None:
    """Every curl example succeeds against the running emulator, in order."""
    command = "set -euo pipefail\n" + block.replace("curl", "curl --fail-with-body")
    env = os.environ | {"CONTROL": server["control_url"]}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@parametrize_blocks(COMMANDS)
def test_every_shell_block_runs_from_any_folder(block: str, tmp_path: Path) -> None:
    """Every shell block succeeds from any folder."""
    command = block.replace("./scripts/", f"{ROOT}/scripts/")
    done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("the emulator is stopped")


def test_every_internal_link_has_a_heading() -> None:
    """The internal links are exactly the headings."""
    headings = re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links == anchors


@pytest.mark.parametrize("path", re.findall(r"\]\((?!#|https:)([^)]+)\)", PAGE))
def test_every_linked_file_exists(path: str) -> None:
    """Every linked file exists."""
    assert (ROOT / path).is_file()
