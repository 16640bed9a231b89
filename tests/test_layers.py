"""Who may import whom: each room imports from the rooms below it, as one table says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent
STDLIB = sys.stdlib_module_names


@frozen
class Room:
    """A package or module, and what it may import besides the standard library and attrs.

    Attributes:
        name: Dotted name; a module belongs to the room with the longest name that matches.
        packages: Third-party packages that it may import, separated by blanks.
        sees: The rooms that it may import; by default every room of the table that stands above its own row.
    """

    name: str
    packages: str = ""
    sees: tuple[str, ...] | None = None


EMULATOR = "pinecone_admin.emulator"

# From the ground floor up.
ROOMS = [
    Room("generated_client", "dateutil"),
    Room("pinecone_admin.errors"),
    Room("pinecone_admin.models"),
    Room("pinecone_admin.operations"),
    Room("pinecone_admin._concurrency", "httpcore anyio trio"),
    Room("pinecone_admin._http", "httpx cattrs dateutil"),
    Room("pinecone_admin._config", "httpx"),
    Room("pinecone_admin.auth", "httpx filelock platformdirs"),
    Room("pinecone_admin.workflows"),
    Room("pinecone_admin._config.assembly", "httpx"),
    Room("pinecone_admin._sync.transports", "httpx httpcore"),
    Room("pinecone_admin._async.transports", "httpx httpcore"),
    Room("pinecone_admin._sync.workflows"),
    Room("pinecone_admin._async.workflows"),
    Room("pinecone_admin._sync", "httpx"),
    Room("pinecone_admin._async", "httpx"),
    Room("pinecone_admin.retry"),
    Room("pinecone_admin"),
    # The emulator knows nothing of the client, so that it cannot share the client's mistakes.
    Room(f"{EMULATOR}.model", sees=()),
    Room(f"{EMULATOR}.api.rules", sees=()),
    Room(f"{EMULATOR}.api", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api.rules")),
    Room(f"{EMULATOR}.control", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api")),
    Room(
        f"{EMULATOR}.http",
        "httpx starlette uvicorn",
        sees=tuple(f"{EMULATOR}.{room}" for room in ("model", "api", "control")),
    ),
    Room(EMULATOR, sees=tuple(f"{EMULATOR}.{room}" for room in ("model", "api", "control", "http"))),
    # Black-box checks know the names of the rules, and nothing of how the emulator keeps them.
    Room(f"{EMULATOR}.conformance", "httpx", sees=(f"{EMULATOR}.api.rules",)),
    Room("pinecone_admin.testing", "httpx anyio pytest", sees=(EMULATOR, "pinecone_admin._concurrency")),
]
NAMES = [room.name for room in ROOMS]

PUBLIC_FACES = {"__init__.py", "errors.py", "models.py", "operations.py", "retry.py", "py.typed"}
TIME_AND_CHANCE = {"time", "random", "asyncio", "anyio"}
DECISIONS = ["_http", "_config", "workflows", "auth/token.py", "auth/credentials.py"]


def source_files() -> list[Path]:
    """List every module that a wheel holds."""
    return sorted(path for package in ("generated_client", "pinecone_admin") for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> Room:
    """Return the room that a module belongs to."""
    return max(
        (room for room in ROOMS if module == room.name or module.startswith(f"{room.name}.")),
        key=lambda room: len(room.name),
    )


def imported_modules(path: Path) -> set[str]:
    """List every module that a file imports when it runs, also within functions; not what only type checkers see."""
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
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name for name in names if is_module(name)} or {module}
    return found


def is_module(name: str) -> bool:
    """Tell whether a dotted name is a module of ours."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def is_ours(module: str) -> bool:
    """Tell whether a module is part of the wheel."""
    return module.split(".", maxsplit=1)[0] in {"generated_client", "pinecone_admin"}


def visible_rooms(room: Room) -> set[str]:
    """Return the names of the rooms that a room may import, itself included."""
    below = NAMES[: NAMES.index(room.name)] if room.sees is None else room.sees
    return {*below, room.name}


def test_rooms_import_from_lower_floors_only() -> None:
    """An import that climbs ties rooms together that can be read apart."""
    climbing = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if is_ours(module) and room_of(module).name not in visible_rooms(room_of(module_name(path)))
    ]
    # The emulator hands out clients of itself, on request.
    assert climbing == ["pinecone_admin.emulator.emulator imports pinecone_admin"]


def test_rooms_use_no_other_packages() -> None:
    """A third-party package is used where the table names it."""
    foreign = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if not is_ours(module)
        and module.split(".")[0]
        not in {*sys.stdlib_module_names, "attrs", *room_of(module_name(path)).packages.split()}
    ]
    assert foreign == []


def test_every_row_of_the_table_is_a_room() -> None:
    """A room that was moved or removed leaves no row behind."""
    assert [name for name in NAMES if not is_module(name)] == []


def test_the_root_holds_public_faces_and_rooms() -> None:
    """Nothing flat stands beside them."""
    assert {path.name for path in (ROOT / "pinecone_admin").iterdir() if path.is_file()} == PUBLIC_FACES


def test_decisions_know_neither_time_nor_chance() -> None:
    """A module that holds a policy is given the time and the random numbers."""
    for place in DECISIONS:
        path = ROOT / "pinecone_admin" / place
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            assert imported_modules(file) & TIME_AND_CHANCE == set(), file


def test_the_two_clients_share_the_token_exchange_only() -> None:
    """The async client uses the transports of the sync one, and the sync client nothing of the async one."""
    crossing = {
        (room_of(module_name(path)).name, room_of(module).name)
        for path in source_files()
        for module in imported_modules(path)
        if {"_async", "_sync"} == {part for name in (module_name(path), module) for part in name.split(".")[1:2]}
    }
    assert crossing == {("pinecone_admin._async", "pinecone_admin._sync.transports")}


def test_workflows_use_the_client_as_anybody_could() -> None:
    """They call public methods only."""
    for path in (ROOT / "pinecone_admin/_async/workflows").glob("*.py"):
        assert not re.search(r"\b(admin|keyed)\._", path.read_text(encoding="utf-8")), path


def test_the_sync_client_loads_nothing_it_does_not_need() -> None:
    """Importing Admin loads no event loop, no cattrs, no dateutil, no emulator, no workflow, nothing async."""
    code = "import sys; from pinecone_admin import Admin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    unneeded = {"cattrs", "dateutil", "starlette", "uvicorn", "pinecone_admin.emulator", "pinecone_admin._async"}
    unneeded |= {"concurrent.futures.thread", "pinecone_admin.workflows", "pinecone_admin._sync.workflows"}
    assert unneeded & set(loaded) == set()
