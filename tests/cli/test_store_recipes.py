"""The commands of docs/how-to/rotate-every-night.md that put values into secret managers, with stand-ins of those."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from pinecone_admin.emulator import Emulator, serving
from tests.support.concurrency import PATIENCE
from tests.support.page_setups import old_keys
from tests.support.recipes import list_blocks
from tests.support.sampling import some_daily
from tests.support.secret_managers import COMMANDS, read_arguments, read_kept

RECIPES = {
    re.findall(rf"\b({'|'.join(COMMANDS)})\b(?!-)", block.text)[-1]: block.text
    for block in list_blocks("docs/how-to/rotate-every-night.md")
    if block.language == "sh" and "exec:" in block.text
}
"""The shell lines of each recipe, by the last command of a manager in it."""
PLACES = {
    "vault": ["pinecone/search/reader", "pinecone/shop/web"],
    "op": ["reader --vault search", "web --vault shop"],
    "aws": ["pinecone/search/reader", "pinecone/shop/web"],
    "gcloud": ["pinecone-search-reader", "pinecone-shop-web"],
    "kubectl": ["pinecone/search/reader", "pinecone/shop/web"],
    "gh": ["READER_KEY --repo acme/search", "PINECONE_API_KEY --repo acme/shop"],
    "doppler": ["PINECONE_API_KEY --project search --config prd", "PINECONE_API_KEY --project shop --config prd"],
}


@pytest.fixture
def emulator(tmp_path: Path) -> Generator[Emulator]:
    """Serve an organization with the keys search/reader and shop/web, 91 days old, beside the stand-ins."""
    emulator = Emulator(seed=0)
    with emulator.admin() as admin:
        old_keys(emulator, admin, tmp_path)
    with serving(emulator):
        yield emulator


def run_recipe(emulator: Emulator, name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the lines of a recipe in a folder, as a job does."""
    env = {
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        "PINECONE_CLIENT_ID": emulator.client_id,
        "PINECONE_CLIENT_SECRET": emulator.client_secret,
        "PINECONE_CONTROLLER_HOST": emulator.host,
        "PINECONE_OAUTH_URL": emulator.oauth_url,
        **variables,
    }
    command = ["bash", "-euo", "pipefail", "-c", RECIPES[name]]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


def values(emulator: Emulator) -> dict[str, str]:
    """Return the value of each key that holds a name."""
    return {key.name: key.value for key in emulator.state.api_keys.values() if not key.name.startswith("~")}


def test_there_is_a_recipe_for_each_manager() -> None:
    """None of the seven is missing, and each has places in this test."""
    assert set(RECIPES) == set(COMMANDS) == set(PLACES)


@pytest.mark.parametrize("name", some_daily(COMMANDS, 4))
def test_a_recipe_stores_each_value_where_it_belongs(name: str, emulator: Emulator, tmp_path: Path) -> None:
    """The command takes its arguments and the value on its input, and no value is an argument or in the output."""
    done = run_recipe(emulator, name, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    reader, web = PLACES[name]
    kept, made = read_kept(tmp_path / "bin"), values(emulator)
    assert kept == {reader: made["reader"], web: made["web"]}
    words = [word for command in read_arguments(tmp_path / "bin") for word in command]
    assert name in words
    assert not [word for word in words if "pcsk_" in word]
    assert "pcsk_" not in done.stdout


@pytest.mark.parametrize("name", some_daily([each for each in COMMANDS if each != "kubectl"], 4))
def test_a_manager_that_is_unavailable_leaves_the_key_as_it_was(name: str, emulator: Emulator, tmp_path: Path) -> None:
    """The exit code is 9, nothing is stored, and each key keeps its value."""
    before = values(emulator)
    done = run_recipe(emulator, name, tmp_path, UNAVAILABLE=name)
    assert done.returncode == 9
    assert read_kept(tmp_path / "bin") == {}
    assert values(emulator) == before
    assert len(emulator.state.api_keys) == 2


def test_a_value_is_stored_even_if_external_secrets_cannot_be_told(emulator: Emulator, tmp_path: Path) -> None:
    """The value is in Vault, so the command ends with 0, and the key is not deleted again."""
    done = run_recipe(emulator, "kubectl", tmp_path, UNAVAILABLE="kubectl")
    assert done.returncode == 0
    assert sorted(read_kept(tmp_path / "bin").values()) == sorted(values(emulator).values())
