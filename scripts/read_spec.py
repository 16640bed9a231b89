#!/usr/bin/env python3
"""Read an API document from a path or a URL, and see that it is one.

Usage: read_spec.py SPEC OUTPUT

Writes what was read, byte by byte. Exits 1 with one line where there is none, or it is not OpenAPI 3.
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

TIMEOUT = 30.0
"""Seconds for a download."""


def read(spec: str) -> bytes:
    """Fetch a document.

    Raises:
        OSError: The file cannot be read.
        httpx.HTTPError: The address does not give it.
    """
    if not spec.startswith(("http://", "https://")):
        return Path(spec.removeprefix("file://")).read_bytes()
    return httpx.get(spec, timeout=TIMEOUT, follow_redirects=True).raise_for_status().content


def problem(content: bytes) -> str | None:
    """Tell in one line what keeps a document from being used, or None."""
    try:
        document = YAML(typ="safe").load(content)
    except (YAMLError, ValueError) as exc:
        return f"is not YAML: {' '.join(str(exc).split())}"
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""
    if not version.startswith(("3.0", "3.1")):
        return f"is not an OpenAPI 3 document{f', but of version {version}' if version else ''}"
    validator = OpenAPIV30SpecValidator if version.startswith("3.0") else OpenAPIV31SpecValidator
    try:
        errors = [error.message for error in validator(document).iter_errors()]
    except Exception as exc:  # noqa: BLE001 - the validator meets anything, such as a reference to nowhere
        errors = [f"{type(exc).__name__}: {exc}"]
    return f"is not valid: {' '.join(errors[0].split())[:300]}" if errors else None


def main() -> int:
    """Read one document from the command line."""
    spec, output = sys.argv[1:]
    try:
        content = read(spec)
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as exc:
        print(f"{spec} cannot be read: {' '.join(str(exc).split())}", file=sys.stderr)
        return 1
    found = problem(content)
    if found is not None:
        print(f"{spec} {found}", file=sys.stderr)
        return 1
    Path(output).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
