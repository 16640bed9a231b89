"""Write numbers of things in words."""

import re


def count_noun(number: float, singular: str) -> str:
    """Return a number with its noun, such as ``1 project`` and ``2 projects``."""
    return f"{number} {singular if number == 1 else pluralize(singular)}"


def pluralize(noun: str) -> str:
    """Return the plural of a noun without exceptions, such as ``policies``, ``API keys`` and ``indexes``."""
    return re.sub("([^aeiou])y$", r"\1ie", re.sub("(s|x|ch|sh)$", r"\1e", noun)) + "s"
