"""Cases of which some run every day, and the others with the long tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def some_daily(cases: Iterable[Any], step: int) -> list[Any]:
    """Return cases as parameters: every ``step``-th from the first runs every day, and the others are marked long."""
    return [pytest.param(case, marks=[pytest.mark.long] * (number % step > 0)) for number, case in enumerate(cases)]
