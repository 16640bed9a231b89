"""The public names and signatures: a change here is a change for users."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pinecone_admin
from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Clock, Emulator, serving
from pinecone_admin.emulator.control.faults import Faults
from pinecone_admin.testing import emulate

HERE = Path(__file__).resolve().parent
MODULES = ["auth", "emulator", "errors", "models", "operations", "retry", "testing", "workflows"]


def describe_public_api() -> str:
    """Return every public name and signature, one a line."""
    lines = [f"pinecone_admin.{name}" for name in pinecone_admin.__all__]
    for module in MODULES:
        loaded = importlib.import_module(f"pinecone_admin.{module}")
        lines += [f"pinecone_admin.{module}.{name}" for name in sorted(loaded.__all__)]
    for public in (Admin, Emulator, Clock, emulate):
        lines.append(f"{public.__name__}{inspect.signature(public)}")
        lines += [f"{public.__name__}.{name}{inspect.signature(method)}" for name, method in list_methods(public)]
    lines += [f"Emulator.faults.{each.__name__}{inspect.signature(each)}" for each in (Faults.add, Faults.clear)]
    lines.append(f"serving{inspect.signature(serving)}")
    for namespace in NAMESPACES:
        kind = getattr(Admin, namespace)
        lines += [f"Admin.{namespace}.{name}{inspect.signature(method)}" for name, method in list_methods(kind)]
    return "\n".join(lines) + "\n"


def list_methods(kind: type) -> list[tuple[str, Callable[..., object]]]:
    """Return the public methods of a class."""
    return [(name, member) for name, member in vars(kind).items() if callable(member) and not name.startswith("_")]


def test_the_public_api_matches_its_record() -> None:
    """The public names and signatures are those in public_api.txt."""
    recorded = (HERE / "public_api.txt").read_text(encoding="utf-8")
    assert describe_public_api() == recorded, "review the change, and record it with python -m tests.test_public_api"


def test_every_public_name_can_be_imported() -> None:
    """Every public name can be imported and is in dir(), and a misspelt one raises ImportError."""
    assert all(getattr(pinecone_admin, name) is not None for name in pinecone_admin.__all__)
    assert set(pinecone_admin.__all__) <= set(dir(pinecone_admin))
    assert pinecone_admin.__all__ == sorted(pinecone_admin.__all__)
    with pytest.raises(ImportError, match="cannot import name 'Amdin'"):
        exec("from pinecone_admin import Amdin")


LIST_NAMES = """
import importlib, json, pydoc, sys
modules = [importlib.import_module(name) for name in sys.argv[1:]]
names = [dir(module) for module in modules]
print(json.dumps([names, [pydoc.plaintext.document(module) for module in modules]]))
"""


def test_help_lists_every_public_class() -> None:
    """In a fresh interpreter, dir() of a module has every public name, and help() shows the classes among them."""
    paths = ["pinecone_admin", *(f"pinecone_admin.{name}" for name in MODULES)]
    output = subprocess.run([sys.executable, "-c", LIST_NAMES, *paths], capture_output=True, check=True).stdout
    for path, names, page in zip(paths, *json.loads(output), strict=True):
        module = importlib.import_module(path)
        public = set(module.__all__) - {"serving"}  # needs an extra, without which help() would fail
        assert public <= set(names), path
        kinds = {name for name in public if inspect.isclass(getattr(module, name))}
        assert kinds <= set(re.findall(r"^    (?:class )?(\w+)(?:\(| = class)", page, re.MULTILINE)), path


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_the_async_client_has_the_same_signatures(namespace: str) -> None:
    """The signatures of both clients differ only in class names and in stores that are awaited."""

    def signatures(client: type) -> dict[str, str]:
        kind = getattr(client, namespace)
        signed = {name: str(inspect.signature(member)).replace("Async", "") for name, member in list_methods(kind)}
        return {name: text.replace("Awaitable[None] | None", "None") for name, text in signed.items()}

    assert signatures(AsyncAdmin) == signatures(Admin)


def test_arguments_are_keyword_only() -> None:
    """No method of a namespace accepts a positional argument."""
    for namespace in NAMESPACES:
        for _, method in list_methods(getattr(Admin, namespace)):
            parameters = list(inspect.signature(method).parameters.values())[1:]
            assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


def test_no_public_signature_has_any() -> None:
    """No public signature contains Any."""
    lines = [line for line in describe_public_api().splitlines() if re.search(r"\bAny\b", line)]
    assert lines == []


def test_a_foreign_generated_client_is_named_at_import(tmp_path: Path) -> None:
    """Another package named generated_client raises an ImportError that says so."""
    (tmp_path / "generated_client").mkdir()
    (tmp_path / "generated_client/__init__.py").write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pinecone_admin"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: another installed package also provides generated_client" in done.stderr


if __name__ == "__main__":  # python -m tests.test_public_api updates the record
    (HERE / "public_api.txt").write_text(describe_public_api(), encoding="utf-8")
