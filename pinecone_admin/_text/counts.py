"""Write numbers of things in words."""

from __future__ import annotations


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 project`` and ``2 projects``.

    Args:
        number: How many there are.
        singular: What one of them is called.
        plural: What several are called, if that is not the singular with an s.
    """
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"
