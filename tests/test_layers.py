"""Who may import whom: downwards only, as the layout says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STDLIB = sys.stdlib_module_names

PURE = {
    "_headers", "_numbers", "_config", "_codec", "_errors", "_retry", "_token", "_validate", "_wire", "_pages",
    "_lookup", "_marks", "_roles", "_reports", "_inventory", "_findings", "_access", "_access_page", "_contents",
    "_arguments", "_inert", "_credentials",
}  # fmt: skip
DECISIONS = {
    "_arguments", "_contents", "_inventory", "_lookup", "_marks", "_numbers", "_reports", "_roles", "_validate",
}  # fmt: skip
TOKENS = {"_bearer", "_cache", "_exchange", "_provider"}
NAMESPACES = {
    "organizations", "projects", "api_keys", "users", "invites", "service_accounts", "role_bindings",
}  # fmt: skip


def imports(path: Path) -> set[str]:
    """Give every module that a file imports when it runs, also within functions; not what only checkers see."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names if module == "pinecone_admin"}
    return found


def foreign(path: Path, *allowed: str) -> set[str]:
    """Give the imports of a file that are neither of the standard library nor within an allowed package."""
    return {
        name
        for name in imports(path)
        if name.split(".")[0] not in STDLIB and not any(name == a or name.startswith(f"{a}.") for a in allowed)
    } - {"pinecone_admin"}


def files(folder: str) -> list[Path]:
    """List the modules of a folder, at any depth."""
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("generated_client"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_generated_layer_knows_attrs_only(path: Path) -> None:
    """Models and operations are pure data."""
    assert foreign(path, "attrs", "generated_client") == set()


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_know_errors_and_the_generated_layer(name: str) -> None:
    """Decisions need no clock, socket or client; httpx only gives them types to classify."""
    allowed = ["attrs", "httpx", "generated_client", "pinecone_admin.errors", "pinecone_admin.models"]
    allowed += [f"pinecone_admin.{p}" for p in PURE]
    if name == "_codec":
        allowed += ["cattrs", "dateutil"]
    path = ROOT / f"pinecone_admin/{name}.py"
    assert foreign(path, *allowed) == set()
    assert imports(path) & {"time", "random", "asyncio"} == set()


@pytest.mark.parametrize("name", sorted(TOKENS))
def test_the_modules_of_the_token_know_no_connections(name: str) -> None:
    """One asks, one exchanges, one keeps, one shares; which transport they use is decided elsewhere."""
    below = {"_bearer": set[str](), "_cache": set[str](), "_exchange": set[str](), "_provider": {"_cache", "_exchange"}}
    allowed = ["attrs", "httpx", "generated_client", "pinecone_admin.errors", "pinecone_admin._primitives"]
    allowed += [f"pinecone_admin.{module}" for module in PURE | below[name]]
    if name == "_cache":
        allowed += ["filelock", "platformdirs"]
    assert foreign(ROOT / f"pinecone_admin/{name}.py", *allowed) == set()


@pytest.mark.parametrize("name", sorted(NAMESPACES))
def test_namespaces_know_builders_models_and_pages(name: str) -> None:
    """A namespace method builds an operation and sends it."""
    allowed = [
        "generated_client", "pinecone_admin.models", "pinecone_admin.errors", "pinecone_admin._validate",
        "pinecone_admin._lookup", "pinecone_admin._async.pagination", "pinecone_admin._async.workflows",
    ]  # fmt: skip
    assert foreign(ROOT / f"pinecone_admin/_async/{name}.py", *allowed) == set()


@pytest.mark.parametrize("path", files("pinecone_admin/_async/workflows"), ids=lambda path: path.name)
def test_workflows_use_the_client_as_anybody_could(path: Path) -> None:
    """They call it, and import neither the client nor a namespace: only decisions, waits and public names."""
    allowed = [
        "attrs", "pinecone_admin.models", "pinecone_admin.operations", "pinecone_admin.errors",
        "pinecone_admin._primitives", "pinecone_admin._async.workflows", *(f"pinecone_admin.{p}" for p in DECISIONS),
    ]  # fmt: skip
    assert foreign(path, *allowed) == set()
    assert not re.search(r"\b(admin|keyed)\._", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", files("pinecone_admin/emulator"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_emulator_knows_nothing_of_the_client(path: Path) -> None:
    """It cannot share the client's mistakes; only admin() and async_admin() hand out clients."""
    allowed = ["attrs", "pinecone_admin.emulator"]
    allowed += {
        "transport.py": ["httpx"],
        "asgi.py": ["starlette"],
        "server.py": ["uvicorn", "starlette"],
        "_emulator.py": ["httpx", "pinecone_admin.Admin", "pinecone_admin.AsyncAdmin"],
    }.get(path.name, [])
    if path.parent.name == "conformance":
        # Black-box checks know the names of the rules, and nothing of how the emulator keeps them.
        allowed = ["attrs", "httpx", "pinecone_admin.emulator.conformance", "pinecone_admin.emulator.catalogue"]
    assert foreign(path, *allowed) == set()


@pytest.mark.parametrize("path", files("pinecone_admin/testing"), ids=lambda path: path.name)
def test_the_test_tools_know_the_emulator_and_the_clock(path: Path) -> None:
    """They stand between the emulator and whatever client is tested; the plugin loads pytest only."""
    allowed = ["httpx", "anyio", "pinecone_admin.emulator", "pinecone_admin._primitives", "pinecone_admin.testing"]
    if path.name == "plugin.py":
        allowed = ["pytest", "pinecone_admin.testing"]
    assert foreign(path, *allowed) == set()


def test_the_sync_client_loads_nothing_it_does_not_need() -> None:
    """Importing Admin loads no event loop, no cattrs, no dateutil, no emulator, no workflow, nothing async."""
    code = "import sys; from pinecone_admin import Admin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"cattrs", "dateutil", "starlette", "uvicorn", "pinecone_admin.emulator", "pinecone_admin._async"}
    unneeded |= {"concurrent.futures.thread", "pinecone_admin._reports", "pinecone_admin._sync.workflows"}
    assert unneeded & set(loaded) == set()
