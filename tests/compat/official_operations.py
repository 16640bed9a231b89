"""The operations of the Admin API that the tests call with each official client, which they require and pages list."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.support.resources import OLDER_THAN_SDKS

REQUIREMENTS = Path(__file__).resolve().parents[2] / "scripts/requirements"

# Before version 10, the SDKs do not manage members, service accounts and role bindings.
BEFORE_10 = {each for each in OLDER_THAN_SDKS if each.rstrip("s").endswith(("organization", "project", "api_key"))}
BEFORE_8 = {each for each in BEFORE_10 if "organization" not in each} - {"update_api_key"}


def _read_python_version(name: str) -> str:
    (version,) = re.findall(
        r"^pinecone==(\S+)", (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    return str(version)


def _read_typescript_version() -> str:
    lock = json.loads((REQUIREMENTS / "typescript-9/package-lock.json").read_text(encoding="utf-8"))
    version: str = lock["packages"]["node_modules/@pinecone-database/pinecone"]["version"]
    return version


CLIENTS: Mapping[str, tuple[str, set[str]]] = {
    "P7": (_read_python_version("pinecone-7"), BEFORE_8),
    "P8": (_read_python_version("pinecone-8"), BEFORE_10),
    "P9": (_read_python_version("pinecone-9"), BEFORE_10),
    "P10": (_read_python_version("dev"), OLDER_THAN_SDKS),
    "T9": (_read_typescript_version(), OLDER_THAN_SDKS),
}
"""The version of each official client, and the operations that it calls with success."""
