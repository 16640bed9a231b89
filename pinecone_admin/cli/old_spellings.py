"""Commands and options of version 0.3, each with what it is called now; this version refuses them, and the next not."""

from __future__ import annotations

from collections.abc import Mapping

OLD_COMMANDS: Mapping[str, str] = {
    "project delete-stale": "apply PLAN",
}
_OLD_OPTIONS: Mapping[str, str] = {
    "apply --allow-removals": "--confirm",
    "apply --report": "--out",
    "inventory --save": "--out",
    "plan --save": "--out",
    "project stale --save": "--out",
    "user offboard --from": "--people",
    "user offboard --plan": "the command apply PLAN",
    "user offboard --save": "--out",
}


def find_new_spelling(command: str, option: str) -> str | None:
    """Return what an option of a command is called now, if it had another name."""
    return _OLD_OPTIONS.get(f"{command} {option}")
