"""Cases of which some run every day, and the others with the long tests."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

_MANY = 6
_OF_ASYNC = {"asyncio", "trio", "uvloop"}


def some_daily(cases: Iterable[Any], step: int) -> list[Any]:
    """Return cases as parameters: every ``step``-th from the first runs every day, and the others are marked long."""
    return [pytest.param(case, marks=[pytest.mark.long] * (number % step > 0)) for number, case in enumerate(cases)]


def leave_some_daily(items: Iterable[pytest.Item], folder: Path) -> None:
    """Mark cases of the tests of a folder as long: of six or more, two of three, and of each client, the async ones.

    A test that marks cases itself, or has only async ones, keeps them as they are.
    """
    tests: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.path.is_relative_to(folder):
            tests[item.nodeid.partition("[")[0]].append(item)
    for cases in tests.values():
        if any(each.get_closest_marker("long") is not None and "uvloop" not in each.name for each in cases):
            continue
        words = {each: set(re.split(r"[\[\]-]", each.name)) for each in cases}
        is_of_both = any("sync" in each for each in words.values())
        daily = [each for each in cases if not (is_of_both and words[each] & _OF_ASYNC)]
        step = 3 if len(daily) >= _MANY else 1
        kept = set(daily[::step])
        for each in cases:
            if each not in kept:
                each.add_marker(pytest.mark.long)
