"""The page on reviewing access lists every kind of finding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pinecone_admin.workflows.findings import FindingKind

PAGE = (Path(__file__).resolve().parent.parent / "docs/how-to/review-access.md").read_text(encoding="utf-8")


def test_page_lists_every_kind_of_finding() -> None:
    """The table of findings has each kind once."""
    rows = re.findall(r"^\| (`[a-z`, -]+`) \|", PAGE, re.MULTILINE)
    listed = [kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row)]
    assert sorted(listed) == sorted(get_args(FindingKind))
