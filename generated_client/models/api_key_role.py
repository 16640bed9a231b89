# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""APIKeyRole: a value that the API document lists, or one that it does not list yet."""

from typing import Literal, TypeAlias

from ..types import Unlisted

APIKeyRole: TypeAlias = (
    Literal[
        "ControlPlaneEditor",
        "ControlPlaneViewer",
        "DataPlaneEditor",
        "DataPlaneViewer",
        "ProjectEditor",
        "ProjectViewer",
    ]
    | Unlisted
)
"""A project role that an API key can have."""
