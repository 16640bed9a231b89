"""Write numbers of things in words."""


def count_noun(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 project`` and ``2 projects``."""
    return f"{number} {singular if number == 1 else plural or f'{singular}s'}"
