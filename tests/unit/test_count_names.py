"""The share of function names that are a single word."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import count_names

SOURCE = """
def send(): ...
def send_request(): ...
async def _retry():
    def wait(): ...
class Client:
    def __init__(self): ...
    def close_all(self): ...
"""


def test_single_words_are_counted_by_folder_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Functions at any depth count; dunders, derived files and environments do not."""
    for name in ("a/client.py", "a/_sync/client.py", "generated_client/api.py", ".venv/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOURCE, encoding="utf-8")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/one.py").write_text("def one(): ...\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["count_names.py", "--list", str(tmp_path)])
    count_names.main()
    assert capsys.readouterr().out.splitlines() == [
        "a/client.py:2 send",
        "a/client.py:4 _retry",
        "a/client.py:5 wait",
        "b/one.py:1 one",
        "a: 3 of 5 function names are a single word (60%)",
        "b: 1 of 1 function names are a single word (100%)",
        "in all: 4 of 6 function names are a single word (67%)",
    ]
