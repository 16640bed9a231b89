"""Layers: each layer of the package imports only the layers that stand above it in one table."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent


@frozen
class Layer:
    """A package or module, and the imports that it may have besides the standard library and attrs.

    Attributes:
        name: Dotted name; a module belongs to the layer with the longest name that matches.
        packages: Third-party packages that it may import, separated by spaces.
        sees: Layers that it may import; by default all layers in the rows above its own.
    """

    name: str
    packages: str = ""
    sees: tuple[str, ...] | None = None


EMULATOR = "pinecone_admin.emulator"
LOCKS = "pinecone_admin._concurrency.locks"

# The lowest layer first.
LAYERS = [
    Layer("generated_client", "dateutil"),
    Layer("pinecone_admin._text"),
    Layer("pinecone_admin.errors"),
    Layer("pinecone_admin.models"),
    Layer("pinecone_admin.operations"),
    Layer(LOCKS),
    Layer("pinecone_admin._concurrency", "httpcore anyio trio"),
    Layer("pinecone_admin._http", "httpx"),
    Layer("pinecone_admin._config", "httpx"),
    Layer("pinecone_admin.auth", "httpx filelock platformdirs"),
    Layer("pinecone_admin.workflows", "yaml"),
    Layer("pinecone_admin._config.assembly", "httpx"),
    Layer("pinecone_admin._sync.transports", "httpx httpcore"),
    Layer("pinecone_admin._async.transports", "httpx httpcore"),
    Layer("pinecone_admin._sync.workflows"),
    Layer("pinecone_admin._async.workflows"),
    Layer("pinecone_admin._sync", "httpx"),
    Layer("pinecone_admin._async", "httpx"),
    Layer("pinecone_admin.retry"),
    Layer("pinecone_admin"),
    # The emulator imports nothing of the client but its locks, so that the two cannot share a mistake.
    Layer(f"{EMULATOR}.model", sees=(LOCKS,)),
    Layer(f"{EMULATOR}.api.rule_catalogue", sees=()),
    Layer(f"{EMULATOR}.api", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api.rule_catalogue")),
    Layer(f"{EMULATOR}.control", sees=(f"{EMULATOR}.model", f"{EMULATOR}.api")),
    Layer(
        f"{EMULATOR}.http",
        "anyio httpx starlette trustme uvicorn",
        sees=(LOCKS, *(f"{EMULATOR}.{layer}" for layer in ("model", "api", "control"))),
    ),
    Layer(
        EMULATOR,
        sees=(LOCKS, *(f"{EMULATOR}.{layer}" for layer in ("model", "api", "control", "http"))),
    ),
    Layer("pinecone_admin.testing", "httpx anyio pytest", sees=(EMULATOR, LOCKS, "pinecone_admin._concurrency")),
    Layer("pinecone_admin.cli", "click rich jmespath yaml platformdirs tomlkit httpx"),
]
NAMES = [layer.name for layer in LAYERS]

PUBLIC_MODULES = {"__init__.py", "errors.py", "models.py", "operations.py", "retry.py", "py.typed"}
CLOCK_AND_RANDOM_MODULES = {"time", "random", "asyncio", "anyio"}
DECISION_MODULES = ["_text", "_http", "_config", "workflows", "auth/token.py", "auth/credentials.py"]


def source_files() -> list[Path]:
    """List every module of the wheel."""
    return sorted(path for package in ("generated_client", "pinecone_admin") for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer_of(module: str) -> Layer:
    """Return the layer that a module belongs to."""
    return max(
        (layer for layer in LAYERS if module == layer.name or module.startswith(f"{layer.name}.")),
        key=lambda layer: len(layer.name),
    )


@cache
def imported_modules(path: Path) -> set[str]:
    """List every module that a file imports at run time, including within functions."""
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


@cache
def is_module(name: str) -> bool:
    """Return whether a dotted name is a module of the wheel."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def is_ours(module: str) -> bool:
    """Return whether a module belongs to a package of the wheel."""
    return module.split(".", maxsplit=1)[0] in {"generated_client", "pinecone_admin"}


def visible_layers(layer: Layer) -> set[str]:
    """Return the names of the layers that a layer may import, including itself."""
    below = NAMES[: NAMES.index(layer.name)] if layer.sees is None else layer.sees
    return {*below, layer.name}


def test_layers_import_lower_layers_only() -> None:
    """An import of a higher layer would mean that neither can be understood without the other."""
    violations = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if is_ours(module) and layer_of(module).name not in visible_layers(layer_of(module_name(path)))
    ]
    # Emulator.admin() and async_admin() import the clients that they return.
    assert violations == ["pinecone_admin.emulator.emulator imports pinecone_admin"]


def test_no_modules_import_each_other() -> None:
    """A module can be understood before those that import it; what is imported for annotations alone does not count."""
    graph = {module_name(path): set(filter(is_ours, imported_modules(path))) for path in source_files()}
    TopologicalSorter({name: imported - {name} for name, imported in graph.items()}).prepare()


def test_one_module_writes_private_files() -> None:
    """Tokens, secrets, profiles and reports are written by the same lines; the emulator shares none with the client."""
    writers = [module_name(path) for path in source_files() if "mkstemp" in path.read_text(encoding="utf-8")]
    assert writers == ["pinecone_admin.auth.private_files", "pinecone_admin.emulator.__main__"]


def test_layers_use_no_other_packages() -> None:
    """A layer imports a third-party package only if the table lists it."""
    foreign = [
        f"{module_name(path)} imports {module}"
        for path in source_files()
        for module in imported_modules(path)
        if not is_ours(module)
        and module.split(".")[0]
        not in {*sys.stdlib_module_names, "attrs", *layer_of(module_name(path)).packages.split()}
    ]
    assert foreign == []


def test_every_row_of_the_table_is_a_layer() -> None:
    """A layer that is moved or removed leaves no row in the table."""
    assert [name for name in NAMES if not is_module(name)] == []


def test_the_root_contains_only_public_modules_and_layers() -> None:
    """There are no private modules beside the layers."""
    assert {path.name for path in (ROOT / "pinecone_admin").iterdir() if path.is_file()} == PUBLIC_MODULES


def test_no_two_classes_share_a_name() -> None:
    """A reader who meets a name need not ask which class it is; derived classes share the name of their source."""
    counts = Counter(
        node.name.strip("_")
        for folder in ("pinecone_admin", "scripts")
        for path in (ROOT / folder).rglob("*.py")
        if "_sync" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in counts.items() if count > 1] == []


def test_decision_modules_import_no_clock_and_no_random_numbers() -> None:
    """A module with a policy gets the time and random numbers as arguments."""
    for name in DECISION_MODULES:
        path = ROOT / "pinecone_admin" / name
        for file in [path] if path.is_file() else sorted(path.glob("*.py")):
            assert imported_modules(file) & CLOCK_AND_RANDOM_MODULES == set(), file


def test_the_two_clients_share_the_token_exchange_only() -> None:
    """The async client uses the transports of the sync one, and the sync client nothing of the async one."""
    crossing = {
        (layer_of(module_name(path)).name, layer_of(module).name)
        for path in source_files()
        for module in imported_modules(path)
        if {"_async", "_sync"} == {part for name in (module_name(path), module) for part in name.split(".")[1:2]}
    }
    assert crossing == {("pinecone_admin._async", "pinecone_admin._sync.transports")}


def test_one_module_decides_which_errors_end_a_workflow_over_many_things() -> None:
    """No other module of the workflows names the errors that every further call would raise, too."""
    paths = [
        *(ROOT / "pinecone_admin/_async/workflows").glob("*.py"),
        *(ROOT / "pinecone_admin/workflows").glob("*.py"),
    ]
    words = re.compile(r"\b(ClientClosedError|ReadOnlyError)\b")
    assert [path.name for path in paths if words.search(path.read_text(encoding="utf-8"))] == ["ending.py"]


def test_workflows_use_only_the_public_api_of_the_client() -> None:
    """They access no private attribute of it, but in the module for what only they need to know of a client."""
    paths = (ROOT / "pinecone_admin/_async/workflows").glob("*.py")
    private = [path.name for path in paths if re.search(r"\b(admin|keyed)\._", path.read_text(encoding="utf-8"))]
    assert private == ["client_state.py"]
