"""The derivation of the sync twins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import unasync

ROOT = Path(__file__).resolve().parents[2]


def test_code_docstrings_and_comments_are_rewritten_alike() -> None:
    """Nothing async is left, not even in words."""
    source = '''async def f(admin: AsyncAdmin) -> None:
    """Do as ``await admin.aclose()`` does."""
    async with admin:  # AsyncAdmin
        async for x in await admin.g():
            pass
    # <async only>
    await nothing()
    # </async only>
'''
    assert (
        unasync.derive(source, set())
        == '''def f(admin: Admin) -> None:
    """Do as ``admin.close()`` does."""
    with admin:  # Admin
        for x in admin.g():
            pass
'''
    )


def append(tree: Path) -> str:
    """Add a line to a derived file."""
    path = tree / "pinecone_admin/_sync/users.py"
    path.write_text(path.read_text() + "# more\n")
    return "pinecone_admin/_sync/users.py is not what scripts/unasync.py gives"


def orphan(tree: Path) -> str:
    """Add a file that has no source."""
    (tree / "pinecone_admin/_sync/orphan.py").write_text("")
    return "pinecone_admin/_sync/orphan.py has no source"


def remove(tree: Path) -> str:
    """Remove a derived file."""
    (tree / "pinecone_admin/_sync/users.py").unlink()
    return "pinecone_admin/_sync/users.py is not what scripts/unasync.py gives"


def idle(tree: Path) -> str:
    """Add a rule that matches nothing."""
    path = tree / "scripts/unasync.py"
    path.write_text(path.read_text().replace("RULES = [\n", 'RULES = [\n    (r"never there", ""),\n', 1))
    return "this rule matches nothing: never there"


@pytest.mark.parametrize("spoil", [append, orphan, remove, idle])
def test_the_check_finds_every_difference(spoil: Callable[[Path], str], tmp_path: Path) -> None:
    """Whole files are compared, in both directions."""
    for folder in ("generated_client", "pinecone_admin", "scripts", "tests/_async", "tests/_sync"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    line = spoil(tmp_path)
    command = [sys.executable, str(tmp_path / "scripts/unasync.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (1, [line])
