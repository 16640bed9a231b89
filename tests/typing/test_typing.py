"""Types: users' code passes mypy and basedpyright in strict mode, and their mistakes are found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.typing.checkers import CONSUMER, MISTAKES, Checker, list_mistakes, run_basedpyright, run_mypy, write_recipes

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
@pytest.mark.parametrize("run", [run_mypy, run_basedpyright])
def test_consumer_code_is_clean_and_every_mistake_is_found(
    run: Checker, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    """Each line marked wrong is an error in strict mode, and no other line of either file or of a recipe is."""
    folder = pytestconfig.cache.mkdir(run.__name__)  # kept, since mypy takes ten times longer without its cache
    assert set(run(folder, CONSUMER, MISTAKES, *write_recipes(tmp_path))) == list_mistakes()


@pytest.mark.long
def test_every_public_type_is_known() -> None:
    """Each type of the public interface is declared, so that all type checkers see the same one."""
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--verifytypes",
        "pinecone_admin",
        "--ignoreexternal",
        "--outputjson",
    ]
    # With this option, basedpyright ignores --pythonpath.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout
    report = json.loads(output)["typeCompleteness"]
    unknown = [each["name"] for each in report["symbols"] if not each["isTypeKnown"]]
    assert (unknown, report["completenessScore"]) == ([], 1)
