#!/usr/bin/env python3
"""Print how all tests ended on each version of Python, from the records that scripts/test --all left in build/suites.

Usage: tests/benchmarks/suites.py [--shape]

A record that was made on another machine is copied to that folder. One of a checkout with changes is not accepted,
since no commit names what was tested. --shape prints which versions a release is tested on, and reads no record.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).resolve().parents[2] / "build/suites"
VERSIONS = ("3.11", "3.13", "3.14", "3.15")


def read_record(version: str) -> dict[str, Any] | None:
    """Return the record of a version of Python; None if there is none, which the table then shows.

    Raises:
        SystemExit: The checkout had changes.
    """
    file = RECORDS / f"{version}.json"
    if not file.exists():
        return None
    record: dict[str, Any] = json.loads(file.read_text("utf-8"))
    if not record.pop("is_clean"):
        raise SystemExit(f"suites: {file} is of a checkout with changes that are not committed")
    return record


def main() -> None:
    """Print the shape, or the shape and the records."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shape", action="store_true", help="print which versions are tested, and read no record")
    given = parser.parse_args()
    shape = {"shape": {"versions": VERSIONS}}
    figures = {} if given.shape else {"figures": {version: read_record(version) for version in VERSIONS}}
    json.dump(shape | figures, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
