"""The imports of each step of a program. An import that is not needed costs every program that starts."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import typing
from collections.abc import Callable
from inspect import getmembers, isfunction

import httpx
import pytest

import pinecone_admin
from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._sync.client import NAMESPACES

PROGRAM = """
import sys
steps = {}
def record(step):
    steps[step] = sorted(sys.modules)
from pinecone_admin import Admin
record("import")
admin = Admin(access_token="a-token", host="http://127.0.0.1:9")
record("constructor")
admin.organizations
record("namespace")
import json
print(json.dumps(steps))
"""

PACKAGES = ("generated_client.", "pinecone_admin.")

# Modules of ours that may be loaded at each step, besides those of the steps before.
OWN_MODULES = {
    "import": """
        generated_client.types pinecone_admin._concurrency pinecone_admin._concurrency.lazy
        pinecone_admin._concurrency.context pinecone_admin._concurrency.locks
        pinecone_admin._concurrency.sharing pinecone_admin._concurrency.waiting pinecone_admin._http
        pinecone_admin._http.argument_checks pinecone_admin._http.attempt_event pinecone_admin._http.call_state
        pinecone_admin._http.retry_policy pinecone_admin._http.returned_errors pinecone_admin._sync
        pinecone_admin._sync.client pinecone_admin._text pinecone_admin._text.messages pinecone_admin._text.printable
        pinecone_admin.auth
        pinecone_admin.errors pinecone_admin.workflows
    """,
    "constructor": """
        generated_client.api generated_client.models pinecone_admin._concurrency.clock
        pinecone_admin._concurrency.attempts pinecone_admin._concurrency.emulated_children
        pinecone_admin._concurrency.sockets pinecone_admin._config
        pinecone_admin._config.addresses pinecone_admin._config.assembly pinecone_admin._config.client_config
        pinecone_admin._config.proxies pinecone_admin._config.tls pinecone_admin._http.buffered_messages
        pinecone_admin._http.codec pinecone_admin._http.error_mapping pinecone_admin._http.transport_errors
        pinecone_admin._http.headers pinecone_admin._http.known_secrets pinecone_admin._http.redaction
        pinecone_admin._http.operation_mapping pinecone_admin._http.retry_after pinecone_admin._http.retry_budget
        pinecone_admin._http.server_clock pinecone_admin._http.operation_checks
        pinecone_admin._sync.sender pinecone_admin._text.version
        pinecone_admin._sync.shared pinecone_admin._sync.transports pinecone_admin._sync.transports.bearer
        pinecone_admin._sync.transports.network
        pinecone_admin._sync.transports.pool pinecone_admin._sync.transports.retry
        pinecone_admin.auth.credentials pinecone_admin.auth.token_provider pinecone_admin.auth.token
        pinecone_admin.auth.token_endpoint pinecone_admin.auth.token_response pinecone_admin.auth.token_source
    """,
    "namespace": """
        generated_client.models.organization generated_client.models.organization_plan
        generated_client.models.payment_status generated_client.models.support_tier pinecone_admin._http.pages
        pinecone_admin._sync.organizations pinecone_admin._sync.pagination
    """,
}

# Modules of others that are not loaded before a step, which may load them.
FOREIGN_MODULES = {
    "import": "",
    "constructor": "anyio certifi email h11 hashlib http httpcore httpx json random socket ssl urllib",
    "namespace": "",
    "never": "asyncio concurrent.futures.process concurrent.futures.thread dateutil starlette uvicorn",
}
STEPS = list(OWN_MODULES)


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Return the modules that are loaded after each step of a program."""
    # Measuring coverage would load modules of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    steps: dict[str, list[str]] = json.loads(output)
    return steps


@pytest.mark.parametrize("step", STEPS)
def test_each_step_loads_only_its_own_modules(step: str, loaded: dict[str, list[str]]) -> None:
    """A step loads no module of the package but those that the table names, and the table names no other."""
    allowed = {name for each in STEPS[: STEPS.index(step) + 1] for name in OWN_MODULES[each].split()}
    assert {name for name in loaded[step] if name.startswith(PACKAGES)} == allowed


@pytest.mark.parametrize("step", STEPS)
def test_each_step_loads_no_foreign_module_too_early(step: str, loaded: dict[str, list[str]]) -> None:
    """Importing the client loads no HTTP library and no TLS, and nothing that only other programs need is loaded."""
    later = [*STEPS[STEPS.index(step) + 1 :], "never"]
    assert {name for each in later for name in FOREIGN_MODULES[each].split()} & set(loaded[step]) == set()


def test_client_works_on_a_system_without_fork() -> None:
    """The client needs no function of os that Windows does not have."""
    program = """
import os
for name in ("fork", "register_at_fork", "geteuid", "O_NOFOLLOW", "O_NONBLOCK"):
    delattr(os, name)
from pinecone_admin.emulator import Emulator
with Emulator().admin() as admin:
    print(admin.projects.create(name="search").name)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("search\n", "")


def list_public_functions() -> list[Callable[..., object]]:
    """List the constructors and public methods of both clients, the methods of their namespaces, and the functions."""
    functions: list[Callable[..., object]] = [Admin.__init__, AsyncAdmin.__init__]
    kinds = [getattr(client, name) for client in (Admin, AsyncAdmin) for name in NAMESPACES]
    for kind in (Admin, AsyncAdmin, *kinds):
        functions += [member for name, member in getmembers(kind, isfunction) if not name.startswith("_")]
    return functions + [value for name in pinecone_admin.__all__ if isfunction(value := getattr(pinecone_admin, name))]


@pytest.mark.parametrize("function", list_public_functions(), ids=lambda each: f"{each.__module__}.{each.__qualname__}")
def test_type_hints_can_be_resolved(function: Callable[..., object]) -> None:
    """Tools that read annotations at run time find every type; those of httpx and ssl, they have to import."""
    late = {"httpx": httpx, "ssl": ssl}
    assert "return" in typing.get_type_hints(function, localns=late)
