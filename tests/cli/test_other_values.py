"""A command names the values that a response shows in place of those that were sent, in its lines and in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cli.command_line import example_organization, run
from tests.cli.secret_makers import intercepted

STORE = "--store file:{name}"
NOTE = "the response shows roles ControlPlaneViewer instead of "
APPLY = (
    "organization: Emulated Organization\nprojects: [{name: search, api_keys: [{name: k, roles: [ProjectViewer]}]}]\n"
)
COMMANDS = {
    "ensure": f"api-key ensure k --project search --role ProjectViewer {STORE} --yes",
    "rotate": f"api-key rotate reader --project search --keep-old-for 1d {STORE} --yes",
    "rotate-due": f"api-key rotate-due --older-than 1h --keep-old-for 1d {STORE} --yes",
    "provision": f"project provision fresh --role ProjectViewer {STORE} --yes",
    "apply": f"apply org.yaml {STORE} --yes",
}


def show_other_roles(_: httpx.Request, handle: Callable[[], httpx.Response]) -> httpx.Response:
    """Replace the roles of a new key in the response to its creation."""
    response = handle()
    found = json.loads(response.read() or b"null")
    if not isinstance(found, dict) or "key" not in found:
        return response
    return httpx.Response(response.status_code, json=found | {"key": found["key"] | {"roles": ["ControlPlaneViewer"]}})


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("output", ["table", "json"])
def test_other_values_are_named(name: str, output: str) -> None:
    """Each command that creates a key shows the roles that the key has by the response, and those that were sent."""
    Path("org.yaml").write_text(APPLY)
    with example_organization() as emulator, intercepted(show_other_roles):
        emulator.clock.advance(86_400)
        done = run(*COMMANDS[name].split(), "-o", output)
    assert done.exit == 0, done
    assert NOTE in done.stdout + done.stderr
