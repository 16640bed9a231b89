"""Write numbers of things in words."""

from __future__ import annotations

import re


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 project`` and ``2 projects``.

    Args:
        number: How many there are.
        singular: The singular.
        plural: The plural, if it does not follow from the singular.
    """
    return f"{number} {singular if number == 1 else plural or pluralize(singular)}"


def pluralize(noun: str) -> str:
    """Return the plural of a noun without exceptions, such as ``policies``, ``API keys`` and ``indexes``."""
    return re.sub("([^aeiou])y$", r"\1ie", re.sub("(s|x|ch|sh)$", r"\1e", noun)) + "s"
