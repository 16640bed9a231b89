"""Deriving the sync client from the async one."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import unasync

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = '''"""Sends; awaits nothing."""

import asyncio


async def send() -> None:
    """Send what was awaited."""
    await there(timeout=1)
    async with lock:
        pass
'''


@pytest.fixture
def script(tmp_path: Path) -> Any:
    """Return the script, loaded in a small tree with two rules."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "pinecone_admin/_async").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "pinecone_admin/_async/send.py").write_text(SOURCE, encoding="utf-8")
    path = Path(shutil.copy(ROOT / "scripts/unasync.py", tmp_path / "scripts"))
    spec = importlib.util.spec_from_file_location("unasync_of_a_small_tree", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.RULES = [(r"\basync (def|with)\b", r"\1"), (r"\bawait ", "")]
    return module


@pytest.fixture
def run_script(script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the script and returns its status and stderr."""

    def run_with(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["unasync.py", *arguments])
        return script.main(), capsys.readouterr().err

    return run_with


def test_a_derived_file_names_its_source_and_imports_nothing_async(run_script: Any, tmp_path: Path) -> None:
    """Unused imports are removed, and derived files pass the check."""
    assert run_script() == (0, "")
    derived = (tmp_path / "pinecone_admin/_sync/send.py").read_text(encoding="utf-8")
    assert derived == (
        "# Derived from pinecone_admin/_async/send.py by scripts/unasync.py: change that, not this file.\n"
        '"""Sends; awaits nothing."""\n\n\n'
        'def send() -> None:\n    """Send what was awaited."""\n    there(timeout=1)\n    with lock:\n        pass\n'
    )
    assert run_script("--check") == (0, "")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.write_text(path.read_text(encoding="utf-8") + "x = 1\n", encoding="utf-8"),
         "send.py differs from its source: run scripts/unasync.py"),
        (lambda path: path.unlink(), "send.py differs from its source: run scripts/unasync.py"),
        (lambda path: path.with_name("orphan.py").write_text("", encoding="utf-8"), "orphan.py has no source"),
    ],
    ids=["an appended line", "a missing file", "an orphan"],
)  # fmt: skip
def test_the_check_compares_whole_files_in_both_directions(
    run_script: Any, tmp_path: Path, spoil: Any, complaint: str
) -> None:
    """It names the file and changes nothing."""
    run_script()
    spoil(tmp_path / "pinecone_admin/_sync/send.py")
    assert run_script("--check") == (1, f"pinecone_admin/_sync/{complaint}\n")
    assert run_script("--check")[0] == 1


def test_derived_files_leave_the_mode_of_the_tree(run_script: Any, tmp_path: Path) -> None:
    """They come from a private folder; others may still read the tree."""
    tmp_path.chmod(0o755)
    run_script()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_source_that_ruff_refuses_changes_nothing(script: Any, run_script: Any, tmp_path: Path) -> None:
    """The derived files stay as they are until every source is valid."""
    run_script()
    derived = tmp_path / "pinecone_admin/_sync/send.py"
    before = derived.read_text(encoding="utf-8")
    for name, source in (("send.py", SOURCE + "x = 1\n"), ("wrong.py", "def (:\n")):
        (tmp_path / "pinecone_admin/_async" / name).write_text(source, encoding="utf-8")
    with pytest.raises(script.subprocess.CalledProcessError):
        run_script()
    assert [each.name for each in derived.parent.iterdir()] == ["send.py"]
    assert derived.read_text(encoding="utf-8") == before


def test_a_rule_that_matches_nothing_is_an_error(script: Any, run_script: Any) -> None:
    """It is named, with and without --check."""
    script.RULES.append(("nowhere", ""))
    assert run_script() == (1, "this rule matches nothing: nowhere\n")
    assert run_script("--check") == (1, "this rule matches nothing: nowhere\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    await admin.aclose()  # AsyncAdmin", "    admin.close()  # Admin"),
        ("async def __aenter__(self) -> AsyncAdmin:", "def __enter__(self) -> Admin:"),
        ("async for page in pages.__aiter__():", "for page in pages.__iter__():"),
        ("from pinecone_admin._async.client import AsyncAdmin", "from pinecone_admin._sync.client import Admin"),
        ("transport: httpx.AsyncBaseTransport", "transport: httpx.BaseTransport"),
        ("await self._transport.handle_async_request(request)", "self._transport.handle_request(request)"),
        ("async with self._lock:", "with self._lock:"),
        ("def f() -> AsyncIterator[int]:", "def f() -> Iterator[int]:"),
        ("await async_sleep(1)", "sleep(1)"),
        ("await sleep(1)  # noqa: ASYNC110 - it is woken", "sleep(1)"),
        ("awaited = asynchronous", "awaited = asynchronous"),
    ],
)
def test_code_docstrings_and_comments_are_rewritten(line: str, expected: str) -> None:
    """Locks, iterators, transports and names change; similar words stay."""
    assert unasync.derive_module(line, set()) == expected


def test_async_only_blocks_are_removed() -> None:
    """Two comments mark such a block."""
    source = "a\n    # <async only>\n    b\n    # </async only>\nc\n"
    assert unasync.derive_module(source, set()) == "a\nc\n"
