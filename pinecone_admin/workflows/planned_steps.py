"""Steps of a dry run, in words that cannot be taken for a report of what was done."""

from __future__ import annotations

from collections.abc import Mapping

_INFINITIVES: Mapping[str, str] = {
    "created": "create",
    "deleted": "delete",
    "granted": "grant",
    "kept": "keep",
    "left": "leave",
    "removed": "remove",
    "renamed": "rename",
    "revoked": "revoke",
    "sent": "send",
    "stored": "store",
    "updated": "update",
    "withdrew": "withdraw",
}
"""The verbs with which steps begin."""


def describe_planned(step: str) -> str:
    """Return what a step of a dry run would do: ``would delete key 4`` for ``deleted key 4``."""
    verb, space, rest = step.partition(" ")
    return f"would {_INFINITIVES[verb]}{space}{rest}" if verb in _INFINITIVES else f"would be done: {step}"
