"""What workflows and commands decide alike is decided in one module: no other one has the code of the decision."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pinecone_admin"
ROOMS = ("workflows", "_async/workflows", "cli/calls", "cli/output", "cli/plans", "cli/reports")

# The decision → what its code looks like, and the module that has it; none if that is in another room.
PLACES: dict[str, tuple[str, str]] = {
    "whether an account is the caller's": (
        r"client_id (?:==|!=) \w+\.client_id|\.client_id == client_id\)$",
        "guard.py",
    ),
    "which accounts show that": (r"service_accounts\.list\(\).* if \w*\.?is_stated", "client_state.py"),
    "whether somebody keeps only roles on projects": (r"only roles on projects, and", "guard.py"),
    "whether a role is on a place that is known": (r'resource_type\S* (?:not )?in [{(]"|^PLACES =', "roles.py"),
    "who owns the organization": (r'binding\.role == "OrgOwner"|binding\.role\) == \(', "roles.py"),
    "how old a key is": (r"oldest_bindings\.get|_dates\.get\(", "roles.py"),
    "how people see a temporary name": (r"\.rest\)?\} \(|: \"old\"", "name_tags.py"),
    "what a temporary name looks like": (r'"~[a-z{(]', "name_tags.py"),
    "which steps have failed": (r'"failed", "sent", "unread"', "ending.py"),
    "which steps may have taken effect": (r'[{(]"sent", "unread"[)}]', "ending.py"),
    "why a deletion needed no request": (r'"it was already deleted"', "ending.py"),
    "which kinds are people": (r'[{(]"user", "invite"[)}]', "changes.py"),
    "whether a change is about the ownership": (r'== \("OrgOwner", None\)|role == "OrgOwner"', "changes.py"),
    "whether an account may not see something": (r"HTTPStatus\.FORBIDDEN", "resources.py"),
    "whether a key is temporary": (r'\.purpose\b.*"empties"', "retired_keys.py"),
    "how many requests are sent at once": (r"min\(.*[ .]admin\.max_connections", "client_state.py"),
    "how long a new key may be refused": (r"^_?KEY_ACCEPTANCE_TIMEOUT = ", "temporary_key.py"),
    "whether a destination has a secret": (r"== \w+\.(?:client_secret|value)$", "create_with_secret.py"),
    "whether a leftover belongs to a run in progress": (
        r"describe\(api_key_id=\S+\)\)\.name ==",
        "create_with_secret.py",
    ),
    "what a server may change in a name": (r"normalize\(|\.strip\(\)\s*==", ""),  # _http/lookup.py
    "whether an invite can still be accepted": (r'[=!]= "expired"|"pending", "processed"', "organization_index.py"),
    "how a minute is shown": (r"%H:%M\} UTC", ""),  # _text/moments.py
}


@pytest.mark.parametrize("decision", PLACES)
def test_a_decision_has_one_place(decision: str) -> None:
    """Another module asks for it."""
    pattern, place = PLACES[decision]
    found = {
        path.name
        for room in ROOMS
        for path in sorted((PACKAGE / room).glob("*.py"))
        if re.search(pattern, path.read_text(), re.MULTILINE)
    }
    assert found == {place} - {""}
