"""Load the settings of generation: names of literals, fields that hold secrets, additional fields and limits."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from generation.api_document import Node

SETTINGS_FILE = Path(__file__).resolve().parents[2] / "openapi/generator.yaml"


def load_settings() -> Node:
    """Return the settings; openapi-python-client reads its own from the same file."""
    return YAML(typ="safe").load(SETTINGS_FILE)
