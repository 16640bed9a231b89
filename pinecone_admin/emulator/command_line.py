"""What the programs of the emulator share: ``python -m pinecone_admin.emulator`` and its conformance check."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence


def parse_arguments(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command line; one that is given twice is an error, and not the last one without a word.

    Args:
        parser: A parser that allows no abbreviations.
        arguments: The words after the program's name; None for those of this process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    counts = Counter(word.partition("=")[0] for word in words if word.startswith("--"))
    for name, count in counts.items():
        if count > 1:
            parser.error(f"{name} is given twice")
    return parser.parse_args(words)
