"""Generate the client from an API document, or adopt another document; scripts/generate.sh calls this.

Everything is generated in a temporary folder, and replaces the current files only if it is complete and can be
imported.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from generation.api_document import (
    DocumentError,
    Node,
    fetch_bytes,
    parse_document,
    read_document,
    validate_document,
)
from generation.emulator_table import make_table
from generation.examples import write_examples
from generation.gaps import find_gaps, find_removed_names
from generation.normalization import adapt_schemas, list_equal_literals, list_likely_secrets, normalize_document
from generation.places import Places, describe_places
from generation.settings import SETTINGS_FILE, load_settings
from generation.unsupported_features import find_unsupported_types, refuse, require_supported
from generation.words import keep_words, write_document
from spec_diff import list_changes

ROOT = Path(__file__).resolve().parent.parent
ADMIN_DOCUMENT = ROOT / "openapi/admin.yaml"
CLIENT_FOLDER = ROOT / "generated_client"
EMULATOR_TABLE = ROOT / "pinecone_admin/emulator/api/operations.json"
TEMPLATES_FOLDER = ROOT / "openapi/templates"
SETTING_LABELS = ("exclude ", "field ", "secret ", "limits of ", "literal ")
HEADER = "# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.\n"

# Imports every module and resolves the types of every model, as the client does to decode responses.
IMPORT_ALL = """
import importlib, pkgutil, sys, attrs
sys.path.insert(0, sys.argv[1])
import generated_client
for module in pkgutil.walk_packages(generated_client.__path__, "generated_client."):
    for value in vars(importlib.import_module(module.name)).values():
        if isinstance(value, type) and attrs.has(value):
            attrs.resolve_types(value)
"""


class GenerationError(Exception):
    """Nothing was written; the message is one line."""


def find_wrong_pins(pyproject: str, installed: Callable[[str], str]) -> list[str]:
    """Return which tools that write committed files differ from the version pinned in the dev group."""
    group: list[str] = tomllib.loads(pyproject)["dependency-groups"]["dev"]
    pins = dict(line.split("==") for line in group if "==" in line)
    tools = ("openapi-python-client", "ruff")
    return [f"{tool} is {found} but must be {pins[tool]}" for tool in tools if (found := installed(tool)) != pins[tool]]


def installed_version(tool: str) -> str:
    """Return the version of a distribution, or "missing" if it is not installed."""
    try:
        return version(tool)
    except PackageNotFoundError:
        return "missing"


def find_changed_templates(hashes: str, folder: Path) -> list[str]:
    """Return which upstream templates differ from those that ours replace or that are used as they are."""

    def describe_change(digest: str, name: str) -> str | None:
        if not (folder / name).exists():
            return f"{name} (missing)"
        return None if hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest else name

    changes = (describe_change(*line.split()) for line in hashes.splitlines())
    return [change for change in changes if change is not None]


def check_tools() -> None:
    """Raise unless the tools are those that wrote the committed files."""
    if wrong := find_wrong_pins((ROOT / "pyproject.toml").read_text(encoding="utf-8"), installed_version):
        raise GenerationError(f"{'; '.join(wrong)}: run scripts/test to install the pinned versions")
    package = find_spec("openapi_python_client")
    upstream = Path(str(package and package.origin)).parent / "templates"
    if changed := find_changed_templates((TEMPLATES_FOLDER / "UPSTREAM.sha256").read_text(encoding="utf-8"), upstream):
        raise GenerationError(
            f"upstream templates changed ({', '.join(changed)}): compare them with openapi/templates, then update "
            "UPSTREAM.sha256"
        )


def prepare_document(document: Node, source: str, *, adopting: bool) -> tuple[Node, str, list[str]]:
    """Return a document rewritten for the generator, the table for the emulator, and the report on the document."""
    settings = load_settings()
    try:
        normalized, idle = normalize_document(require_supported(document, source, settings), settings)
        refuse(source, find_unsupported_types(normalized))
        lines = describe_document(document, idle) if adopting else []
        table = make_table(document)
        lines += [*describe_remedies(normalized, idle), *find_gaps(normalized, table)]
        lines += find_names_to_follow(normalized) if adopting else []
        adapted = adapt_schemas(write_examples(normalized))
    except DocumentError:
        raise
    except Exception as exc:  # a valid document can still have any shape
        raise GenerationError(f"cannot generate from {source}: {type(exc).__name__}: {exc}") from exc
    return adapted, table, lines


def find_names_to_follow(normalized: Node) -> list[str]:
    """Return the strings of the hand-written package that name what an adopted document has no more."""
    before, _ = normalize_document(read_document(str(ADMIN_DOCUMENT)), load_settings())
    return find_removed_names(before, normalized, Places(ROOT))


def describe_remedies(normalized: Node, idle: list[str]) -> list[str]:
    """Return what to review in the settings: lines that match nothing, what looks like a secret, equal literals."""
    name = SETTINGS_FILE.relative_to(ROOT)
    secrets = [
        f"{name}: {path} looks like a secret and is masked: list it under secrets"
        for path in list_likely_secrets(normalized)
    ]
    literals = [f"{name}: {line} under literals" for line in list_equal_literals(normalized)]
    idle_settings = (f"{name}:{_describe_idle(label)}" for label in idle if label.startswith(SETTING_LABELS))
    return [*idle_settings, *secrets, *literals]


def describe_document(document: Node, idle: list[str]) -> list[str]:
    """Return what an adopted document changes, and which rules it does not need."""
    places = Places(ROOT)
    changes = [
        f"{change}{describe_places(places.of_change(change.text)) if change.is_breaking else ''}"
        for change in list_changes(read_document(str(ADMIN_DOCUMENT)), document, load_settings())
    ]
    rules = [
        f"unused rule: {label} matches nothing: nothing to do" for label in idle if not label.startswith(SETTING_LABELS)
    ]
    return [*changes, *rules]


def _describe_idle(label: str) -> str:
    lines = SETTINGS_FILE.read_text(encoding="utf-8").splitlines()
    field_path = label.rsplit(maxsplit=1)[-1]
    number = next(number for number, line in enumerate(lines, 1) if field_path in line)
    return f"{number}: {label} matches nothing: correct the name, or remove the line"


def find_type_errors() -> list[str]:
    """Return each place of the hand-written code that does not fit what was generated, with the remedy."""
    mypy = _start_checker("mypy", "--no-error-summary", "--hide-error-context", "--no-pretty")
    # The hand-written files of the client; those of the emulator take nothing of what is generated.
    paths = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "pinecone_admin").rglob("*.py")))
    files = [path for path in paths if not path.startswith(("pinecone_admin/_sync/", "pinecone_admin/emulator/"))]
    # Only if it is installed. It takes 12 s for these files, and 20 s for all, which scripts/check reads.
    strict = ("--outputjson", "--level", "error", "--pythonpath", sys.executable)
    pyright = _start_checker("basedpyright", *strict, *files) if find_spec("basedpyright") else None
    found = list_mypy_errors(mypy.communicate()[0])
    known = set(map(find_statement, found))
    for place, problem in (list_pyright_errors(pyright.communicate()[0]) if pyright else {}).items():
        # Checkers name other lines of one problem.
        if find_statement(place) not in known:
            found[place] = problem
    # The sync code is derived, so its errors are those of the async code.
    return [f"{place}: {problem}: {_remedy(place)}" for place, problem in found.items() if "/_sync/" not in place]


def find_statement(place: str) -> tuple[str, int]:
    """Return the file and the first line of the innermost statement that a place, a file and a line, is in."""
    name, _, line = place.partition(":")
    if not line.isdecimal():
        return place, 0
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    starts = [each.lineno for each in statements if each.lineno <= int(line) <= (each.end_lineno or 0)]
    return name, max(starts, default=int(line))


def _start_checker(tool: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", tool, *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def list_mypy_errors(output: str) -> dict[str, str]:
    """Return the errors in the output of mypy, by file and line; several in one line are joined."""
    errors: dict[str, str] = {}
    for line in output.splitlines():
        place, is_error, problem = line.partition(": error: ")
        if is_error:
            errors[place] = f"{errors[place]}; {problem}" if place in errors else problem
    return errors or ({"mypy": extract_complaint(output)} if output.strip() else {})


def list_pyright_errors(output: str) -> dict[str, str]:
    """Return the errors in the output of basedpyright, by file and line."""
    try:
        found = json.loads(output)["generalDiagnostics"]
    except ValueError:
        return {"basedpyright": extract_complaint(output)}
    return {
        f"{Path(each['file']).relative_to(ROOT)}:{each['range']['start']['line'] + 1}": (
            f"{each['message'].splitlines()[0]}  [{each.get('rule', 'syntax')}]"
        )
        for each in found
    }


def _remedy(place: str) -> str:
    if place in {"mypy", "basedpyright"}:
        return "run scripts/check"
    if place.startswith("tests/"):
        return "follow the document in the test"
    derive = ", then run scripts/unasync.py" if "/_async/" in place else ""
    return f"follow the document here{derive}"


def generate_package(normalized: Node, source: str, work: Path) -> Path:
    """Generate the package in a temporary folder."""
    document, fresh = work / "document.json", work / "generated_client"
    document.write_text(json.dumps(normalized), encoding="utf-8")
    command = ["-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning", "--path", document]
    options = ["--config", SETTINGS_FILE, "--custom-template-path", TEMPLATES_FOLDER, "--output-path", fresh]
    _run_tool(work, f"cannot generate from {source}", *map(str, (*command, *options)))
    tidy_package(fresh)
    format_package(fresh)
    for path in list_files(fresh):
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8")
    # -B, because a __pycache__ would be copied with the package.
    _run_tool(work, f"the package generated from {source} cannot be imported", "-B", "-c", IMPORT_ALL, work)
    return fresh


def tidy_package(fresh: Path) -> None:
    """Remove the stock client and the empty modules of models without fields, which are free-form JSON."""
    for name in ("client.py", "errors.py"):
        (fresh / name).unlink()
    for path in list_files(fresh):
        if not path.read_text(encoding="utf-8").strip():
            path.unlink()
    (fresh / "py.typed").touch()


def format_package(fresh: Path) -> None:
    """Remove unused imports, since the templates import everything that a module may need, and format every module."""
    # Code in docstrings has the width of code in the reference of the site, less the prompt.
    width = ("format.docstring-code-format=true", "format.docstring-code-line-length=82")
    formats = ["format", "--line-length", "120", *(word for each in width for word in ("--config", each))]
    for arguments in (["check", "--fix-only", "--select", "F401,I"], formats):
        _run_tool(fresh.parent, "ruff failed", "-m", "ruff", *arguments, "--isolated", "--quiet", "--no-cache", fresh)


def _run_tool(work: Path, failure: str, *arguments: str | Path) -> None:
    # Without this, typer draws tracebacks as boxes, and the last line is not the error.
    plain = os.environ | {"_TYPER_STANDARD_TRACEBACK": "1", "NO_COLOR": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=work, env=plain, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenerationError(f"{failure}: {extract_complaint(done.stdout + done.stderr)}")


def extract_complaint(log: str) -> str:
    """Return the one or two lines of a tool's output that say what is wrong."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if "Traceback (most recent call last):" in lines or not lines:
        return lines[-1] if lines else "no output"
    after = next((number for number, line in enumerate(lines) if "encountered while generating" in line), -1) + 1
    return ": ".join(line.rstrip(":.") for line in lines[after : after + 2])


def list_files(folder: Path) -> list[Path]:
    """Return the files of a package, at any depth."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def diff_folders(old: Path, new: Path) -> Iterator[str]:
    """Yield the unified diff of two folders, including files that only one of them has."""
    for path in sorted({path.relative_to(folder) for folder in (old, new) for path in list_files(folder)}):
        before, after = (_read_lines(folder / path) for folder in (old, new))
        yield from difflib.unified_diff(before, after, f"a/{old.name}/{path}", f"b/{new.name}/{path}")


def _read_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if path.exists() else []


@contextmanager
def block_signals() -> Iterator[None]:
    """Delay signals that would end the program."""
    # Blocked rather than handled: a signal is delivered after the block and ends the program then.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def replace_all(replacements: list[tuple[Path, Path]]) -> None:
    """Replace each old file or folder with a new one: all of them or none.

    The new ones are first copied to the file system of the old ones, so that only renames remain to be done.
    """
    with TemporaryDirectory(prefix=".generate-", dir=replacements[0][1].parent) as staging, block_signals():
        moves: list[tuple[Path, Path]] = []
        for number, (new, place) in enumerate(replacements):
            staged = Path(staging) / f"{number}-new"
            if new.is_dir():
                shutil.copytree(new, staged)
            else:
                shutil.copyfile(new, staged)
                shutil.copymode(place, staged)  # copyfile does not copy the mode
            moves += [(place, Path(staging) / f"{number}-old"), (staged, place)]
        _move_all(moves)


def _move_all(moves: list[tuple[Path, Path]]) -> None:
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            if source.exists():
                source.rename(target)
                done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        raise


def run_generation(spec: str | None, *, check: bool) -> int:
    """Generate the package, then write it or compare it with the committed one."""
    check_tools()
    source = spec or str(ADMIN_DOCUMENT.relative_to(ROOT))
    text = fetch_bytes(spec or str(ADMIN_DOCUMENT))
    stated = validate_document(parse_document(text, source), source)
    document, foreign = keep_words(read_document(str(ADMIN_DOCUMENT)), stated) if spec else (stated, [])
    normalized, table, lines = prepare_document(document, source, adopting=spec is not None)
    lines += foreign
    with TemporaryDirectory(prefix="generate-") as folder:
        fresh = generate_package(normalized, source, Path(folder))
        if check:
            return check_committed(fresh, table, source, lines)
        adopted, served = Path(folder) / "admin.yaml", Path(folder) / "operations.json"
        adopted.write_bytes(text if document == stated else write_document(document))
        served.write_text(table, encoding="utf-8")
        replacements = [(fresh, CLIENT_FOLDER), (served, EMULATOR_TABLE)]
        replace_all([*replacements, (adopted, ADMIN_DOCUMENT)] if spec else replacements)
    lines += find_type_errors() if spec else []
    print(
        *lines, f"generated_client is made from {source}; number of files: {len(list_files(CLIENT_FOLDER))}", sep="\n"
    )
    return 0


def check_committed(fresh: Path, table: str, source: str, lines: list[str]) -> int:
    """Print the diff against the committed package and table; raise unless it is empty."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    found = list(diff_folders(CLIENT_FOLDER, fresh))
    before, after = (f"{side}/{EMULATOR_TABLE.relative_to(ROOT)}" for side in "ab")
    found += difflib.unified_diff(_read_lines(EMULATOR_TABLE), table.splitlines(keepends=True), before, after)
    sys.stdout.writelines(found)
    if found:
        raise GenerationError(f"generated_client is not up to date with {source}: run scripts/generate.sh")
    return 0


def main() -> int:
    """Run the command line; print an error as one line."""
    parser = argparse.ArgumentParser(prog="generate.sh")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("spec", nargs="?")
    arguments = parser.parse_args()
    try:
        return run_generation(arguments.spec, check=arguments.check)
    except (GenerationError, DocumentError, OSError) as exc:
        # If several operations prevent it, each has a line.
        lines = [" ".join(line.split()) for line in str(exc).splitlines() if line.strip()]
        print("generate.sh: " + "\n  ".join(lines), file=sys.stderr)
    except KeyboardInterrupt:
        print("generate.sh: interrupted", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
