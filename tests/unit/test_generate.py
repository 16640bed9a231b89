"""Generating the client and adopting another document, in copies of the repository."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import generate
from generate import (
    diff_folders,
    extract_complaint,
    find_changed_templates,
    find_statement,
    find_wrong_pins,
    list_mypy_errors,
    list_pyright_errors,
    prepare_document,
    replace_all,
)
from generation.api_document import (
    DocumentError,
    fetch_bytes,
    iter_operations,
    parse_document,
    validate_document,
)
from generation.normalization import normalize_document
from generation.settings import load_settings
from tests.support.api_documents import (
    count_new_operations,
    document_with_more_resources,
    find_parameters,
    read_older_document,
    read_our_document,
)
from tests.support.generated_trees import loaded_templates
from tests.support.mypy_cache import fill_mypy_cache, find_mypy_cache

ROOT = Path(__file__).resolve().parent.parent.parent
# Stand in for the type checkers, which take longer than all else; long tests run the real ones.
BASEDPYRIGHT = """
import pathlib, sys
assert {"--outputjson", "pinecone_admin/_async/users.py", "pinecone_admin/models.py"} < set(sys.argv), sys.argv
assert not [each for each in sys.argv if "_sync/" in each or each.startswith("pinecone_admin/emulator/")], sys.argv
found = pathlib.Path("pyright.json")
print(found.read_text() if found.exists() else '{"generalDiagnostics": []}')
"""
MYPY = """
print("pinecone_admin/_async/users.py:2: error: One  [a]")
print("pinecone_admin/_async/users.py:2: error: Two  [b]")
print("pinecone_admin/_sync/users.py:2: error: One  [a]")
print("tests/nothing.py:1: error: Three  [c]")
"""
PARTS = ("generated_client", "openapi", "pinecone_admin", "scripts", "pyproject.toml")
MINIMAL = """
openapi: 3.0.3
info: {title: T, version: '1'}
paths: {/a: {get: {operationId: a, responses: {'204': {description: D}}}}}
"""

Run = subprocess.CompletedProcess[str]


def copy_repository(folder: Path) -> Path:
    """Copy the parts of the repository that generation needs."""
    tree = folder / "tree"
    tree.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / part, tree / part)
    for folder_of_other_code in ("docs", "tests"):
        (tree / folder_of_other_code).mkdir()
        (tree / folder_of_other_code / "nothing.py").touch()
    shutil.copyfile(ROOT / "docs/errors.md", tree / "docs/errors.md")
    (tree / "basedpyright.py").write_text(BASEDPYRIGHT, encoding="utf-8")
    return tree


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository that no test changes."""
    return copy_repository(tmp_path_factory.mktemp("untouched"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the repository for one test."""
    return copy_repository(tmp_path)


def run_generate(tree: Path, *arguments: str | Path, **environment: str) -> Run:
    """Run what scripts/generate.sh runs."""
    return run_python(tree, "scripts/generate.py", *arguments, **environment)


def run_python(tree: Path, *arguments: str | Path, **environment: str) -> Run:
    """Run Python in a copy of the repository, with its packages."""
    variables = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "MYPY_CACHE_DIR": str(find_mypy_cache())}
    env = os.environ | variables | environment
    return subprocess.run([sys.executable, *arguments], cwd=tree, env=env, capture_output=True, text=True, check=False)


def hash_files(tree: Path) -> dict[str, str]:
    """Return the hash of every file of a copy."""
    paths = (path for path in tree.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def write_json(path: Path, document: Any) -> Path:
    """Write a document as JSON, and return the path."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


# ---- refusals


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "is not an OpenAPI 3 document: it is empty"),
        (b"[1]", "is not an OpenAPI 3 document: it is a list"),
        (b"hello", "is not an OpenAPI 3 document: it is text"),
        (b"3", "is not an OpenAPI 3 document: it is a number"),
        (b"{a: 1}", "is not an OpenAPI 3 document: it is an object without 'openapi'"),
        (b"swagger: '2.0'", "is not an OpenAPI 3 document: it is Swagger 2.0"),
        (b"openapi: 3.1.0", "is OpenAPI 3.1.0, but only 3.0 is supported"),
        (b"openapi: 3.0.0", "is not a valid OpenAPI document: 'info' is a required property"),
        (b"a: [1\nb: }", "is neither YAML nor JSON: expected ',' or ']', but got ':' in line 2"),
        (b"a: 1\na: 2", "is neither YAML nor JSON: found duplicate key"),
        (b"\x00\xff", "is neither YAML nor JSON"),
        (b"[" * 1_000, "is neither YAML nor JSON: maximum recursion depth exceeded"),
        (MINIMAL.replace("description: D", "$ref: b.yaml#/a").encode(), "refers to another document: b.yaml#/a"),
        (MINIMAL.replace("description: D", "$ref: '#/components/responses/R'").encode(),
         "refers to #/components/responses/R, which does not exist"),
        (MINIMAL.replace("'1'", "1").encode(),
         "is not a valid OpenAPI document: info/version: 1 is not of type 'string'"),
    ],
)  # fmt: skip
def test_an_invalid_document_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    """The reason is one line."""
    with pytest.raises(DocumentError) as caught:
        validate_document(parse_document(text, "SPEC"), "SPEC")
    # The validator has two backends, which quote differently.
    assert str(caught.value).replace('"', "'").startswith(f"SPEC {reason}")
    assert "\n" not in str(caught.value)


def test_yaml_dates_and_number_keys_become_text() -> None:
    """A version that looks like a date stays as written, and a status key becomes a string."""
    document = parse_document(MINIMAL.replace("'1'", "2026-04-01").replace("'204'", "204").encode(), "SPEC")
    assert validate_document(document, "SPEC")["info"]["version"] == "2026-04-01"
    assert [list(endpoint.operation["responses"]) for endpoint in iter_operations(document)] == [["204"]]


def test_all_problems_are_reported_at_once() -> None:
    """Each problem has a line."""
    document = parse_document(MINIMAL.encode(), "SPEC")
    document["paths"]["/a"]["get"]["parameters"] = [{"in": "cookie", "name": n, "schema": {}} for n in "pq"]
    with pytest.raises(DocumentError) as caught:
        prepare_document(document, "SPEC", adopting=True)
    head, *problems = str(caught.value).splitlines()
    assert head == "cannot generate from SPEC:"
    assert [each.partition(" is not supported")[0] for each in problems] == [f"a: cookie parameter {n}" for n in "pq"]


SURROGATE = MINIMAL.replace("operationId: a", 'operationId: a, description: "\\ud800"')


REFUSED: list[tuple[str, str | None, str]] = [
    ("nowhere.yaml", None, "cannot read nowhere.yaml: No such file or directory"),
    ("http://127.0.0.1:1/spec", None, "cannot read http://127.0.0.1:1/spec: "),
    ("spaced.yaml", MINIMAL.replace("/a:", "/a b:"), "cannot generate from spaced.yaml: a: the path /a b contains"),
    ("swagger.yaml", "swagger: '2.0'", "swagger.yaml is not an OpenAPI 3 document: it is Swagger 2.0"),
]
RUN_SEVERAL = """
import sys
sys.path.append("scripts")
import generate
for spec in sys.argv[1:]:
    sys.argv[1:] = [spec]
    assert generate.main() == 1, spec
"""


def test_a_failure_changes_no_file(untouched: Path) -> None:
    """Whichever step fails, the reason is one line on stderr, and the exit status is 1."""
    before = hash_files(untouched)
    specs = [spec if text is None else str(untouched.parent / spec) for spec, text, _ in REFUSED]
    for spec, (_, text, _) in zip(specs, REFUSED, strict=True):
        if text is not None:
            Path(spec).write_text(text, encoding="utf-8")
    failed = run_python(untouched, "-c", RUN_SEVERAL, *specs)
    assert (failed.returncode, failed.stdout) == (0, ""), failed.stderr
    lines = failed.stderr.replace(f"{untouched.parent}/", "").splitlines()
    for line, (_, _, reason) in zip(lines, REFUSED, strict=True):
        assert line.startswith(f"generate.sh: {reason}")
    assert hash_files(untouched) == before


@pytest.mark.long
def test_a_failure_of_the_generator_changes_no_file(untouched: Path) -> None:
    """Its reason is one line on stderr, too."""
    before = hash_files(untouched)
    spec = untouched.parent / "surrogate.json"
    spec.write_text(SURROGATE, encoding="utf-8")
    failed = run_generate(untouched, spec)
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert failed.stderr.startswith(f"generate.sh: cannot generate from {spec}: ")
    assert hash_files(untouched) == before


def test_all_files_are_replaced_or_none(tmp_path: Path) -> None:
    """If the second cannot be replaced, the first is restored, and no temporary file is left."""
    for name in ("new", "old", "new2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name, encoding="utf-8")
    before = hash_files(tmp_path)
    with pytest.raises(FileNotFoundError):
        replace_all([(tmp_path / "new", tmp_path / "old"), (tmp_path / "new2", tmp_path / "nowhere/old2")])
    assert hash_files(tmp_path) == before
    replace_all([(tmp_path / "new", tmp_path / "old"), (tmp_path / "new2", tmp_path / "old2")])
    assert hash_files(tmp_path) == {**before, "old/file": before["new/file"], "old2/file": before["new2/file"]}


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("", "no output"),
        ("Generating x\nTraceback (most recent call last):\n  at\nValueError: no\n", "ValueError: no"),
        (
            "Generating x\nWarning(s) encountered while generating. C\n\nCannot parse:\n\nthe rest.\n\n{\n",
            "Cannot parse: the rest",
        ),
        ("error: no such rule", "error: no such rule"),
    ],
)
def test_the_error_is_extracted_from_the_output_of_a_tool(log: str, expected: str) -> None:
    """One line of the tool's output remains."""
    assert extract_complaint(log) == expected


# ---- the tools


def test_unpinned_versions_of_the_tools_are_refused() -> None:
    """Each is named with the pinned version."""
    pyproject = '[dependency-groups]\ndev = ["anyio>=4", "openapi-python-client==0.29.1", "ruff==0.17.6"]\n'
    assert find_wrong_pins(pyproject, {"openapi-python-client": "0.29.1", "ruff": "0.17.6"}.__getitem__) == []
    assert find_wrong_pins(pyproject, {"openapi-python-client": "0.30.0", "ruff": "missing"}.__getitem__) == [
        "openapi-python-client is 0.30.0 but must be 0.29.1",
        "ruff is missing but must be 0.17.6",
    ]


def test_changed_upstream_templates_are_refused(tmp_path: Path) -> None:
    """Our templates were written to replace these, compared byte by byte."""
    (tmp_path / "model.py.jinja").write_text("x", encoding="utf-8")
    assert find_changed_templates(f"{hashlib.sha256(b'x').hexdigest()}  model.py.jinja\n", tmp_path) == []
    assert find_changed_templates(f"{hashlib.sha256(b'y').hexdigest()}  model.py.jinja\n", tmp_path) == [
        "model.py.jinja"
    ]
    assert find_changed_templates("0  other.py.jinja\n", tmp_path) == ["other.py.jinja (missing)"]


def test_each_upstream_template_that_is_loaded_is_hashed(tmp_path: Path) -> None:
    """Ours replace some of them; the others are used as they are."""
    hashes = (ROOT / "openapi/templates/UPSTREAM.sha256").read_text(encoding="utf-8")
    normalized, _ = normalize_document(read_our_document(), load_settings())
    upstream = {name for name in loaded_templates(normalized, tmp_path) if not name.startswith("_")}
    assert {line.split()[1] for line in hashes.splitlines()} == upstream


def test_lock_says_whether_the_generator_has_a_newer_release(tree: Path, tmp_path: Path) -> None:
    """It names both versions and what to do; nothing is said of the pinned one. uv may leave its input unread."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/npm").symlink_to("/bin/true")
    uv = tmp_path / "bin/uv"
    env = os.environ | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    pinned = re.findall(r"openapi-python-client==[0-9.]+", (tree / "pyproject.toml").read_text(encoding="utf-8"))[0]
    said = f"lock: openapi-python-client==9.9 is released, {pinned} is pinned: "
    for newest, expected in ((pinned, ""), ("openapi-python-client==9.9", said)):
        program = f'exec <&-\nfor last; do :; done\n[ "$last" = - ] && echo {newest} || true\n'
        uv.write_text(f"#!/bin/sh\n{program}", encoding="utf-8")
        uv.chmod(0o755)
        done = subprocess.run([tree / "scripts/lock"], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(expected)
        assert bool(done.stdout) == bool(expected)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("pyproject.toml", '"ruff==', '"ruff==9'), ": run scripts/test to install the pinned versions\n"),
        (("openapi/templates/UPSTREAM.sha256", "  model.py", "0  model.py"), ", then update UPSTREAM.sha256\n"),
    ],
)
def test_wrong_tools_are_refused_in_one_line(
    edit: tuple[str, str, str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """This holds for a pin and for a hash, before anything else is read."""
    file, old, new = edit
    for each in ("pyproject.toml", "openapi/templates/UPSTREAM.sha256"):
        text = (ROOT / each).read_text(encoding="utf-8")
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text(text.replace(old, new, 1) if each == file else text, encoding="utf-8")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "TEMPLATES_FOLDER", tmp_path / "openapi/templates")
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert output.err.endswith(reason)


@pytest.mark.long
def test_a_setting_that_matches_nothing_is_told(tree: Path) -> None:
    """It is a line with the place and the remedy, and no failure."""
    settings = tree / "openapi/generator.yaml"
    text = settings.read_text(encoding="utf-8").replace("\nliterals:\n", "\nliterals:\n  Colour: Pet.colour\n")
    settings.write_text(text, encoding="utf-8")
    number = text.splitlines().index("  Colour: Pet.colour") + 1
    done = run_generate(tree, "--check")
    told = "literal Colour at Pet.colour matches nothing: correct the name, or remove the line"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"openapi/generator.yaml:{number}: {told}\n", "")


# ---- generating


@pytest.mark.long
def test_differing_files_are_shown_as_a_diff(tree: Path) -> None:
    """The exit status is 1, and generating restores the files."""
    before = hash_files(tree)
    edited, orphan, missing = (tree / "generated_client" / name for name in ("types.py", "orphan.py", "models/user.py"))
    edited.write_text(edited.read_text(encoding="utf-8") + "SPOILT = 1\n", encoding="utf-8")
    orphan.write_text("x = 1\n", encoding="utf-8")
    missing.unlink()
    found = run_generate(tree, "--check")
    assert found.returncode == 1
    assert (
        found.stderr
        == "generate.sh: generated_client is not up to date with openapi/admin.yaml: run scripts/generate.sh\n"
    )
    assert {"-SPOILT = 1", "-x = 1", "+class User:"} <= set(found.stdout.splitlines())
    assert run_generate(tree).returncode == 0
    assert hash_files(tree) == before


def test_folders_are_compared_in_both_directions(tmp_path: Path) -> None:
    """A file that only one folder has is part of the diff; caches are ignored."""
    for name in ("old/a", "new/b", "new/__pycache__/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n", encoding="utf-8")
    lines = list(diff_folders(tmp_path / "old", tmp_path / "new"))
    assert [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}] == ["-old/a\n", "+new/b\n"]


# ---- adopting


def make_next_version() -> Any:
    """Return our document with one more operation, field and role, and one field less."""
    document = read_our_document()
    document["info"]["version"] = "2027-01"
    response = {"schema": {"$ref": "#/components/schemas/Audit"}}
    document["paths"]["/admin/audits/{audit_id}"] = {
        "get": {
            "operationId": "fetch_audit",
            "tags": ["Audits"],
            "parameters": [{"in": "path", "name": "audit_id", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "D", "content": {"application/json": response}}},
        }
    }
    schemas = document["components"]["schemas"]
    fields = {"id": {"type": "string"}, "by": {"$ref": "#/components/schemas/User"}}
    schemas["Audit"] = {"type": "object", "required": ["id", "by"], "properties": fields}
    schemas["CreateProjectRequest"]["properties"]["region"] = {"type": "string"}
    del schemas["User"]["properties"]["name"]
    return replace_value(document, "OrgOwner", ["OrgOwner", "OrgAuditor"])


_DERIVE = "then run scripts/unasync.py"
GAPS_OF_NEXT_VERSION = [
    f"pinecone_admin/_async/{line}"
    for line in (
        "audits.py: fetch_audit: no method sends it: run scripts/new_namespace audits",
        f"projects.py: CreateProjectRequest.region: no method passes it: add an argument, {_DERIVE}",
    )
] + [
    "pinecone_admin/emulator/api/operations.py: fetch_audit is answered with 501: write its function",
    "pinecone_admin/emulator/api/operations.py: Audit has no by, which the document requires: send it",
    *(
        f"pinecone_admin/{file}/roles.py: names not all values of RoleName: add OrgAuditor"
        for file in ("emulator/model", "workflows")
    ),
]


def replace_value(node: Any, value: str, by: list[str]) -> Any:
    """Replace a value with several values wherever it is listed."""
    if isinstance(node, dict):
        return {key: replace_value(item, value, by) for key, item in node.items()}
    if isinstance(node, list):
        return [new for item in node for new in (by if item == value else [replace_value(item, value, by)])]
    return node


SEND = """
import json, sys, httpx
import generated_client.api, generated_client.models
from generated_client.api import {operation}
from pinecone_admin import Admin

def respond(request):
    assert request.headers["x-pinecone-api-version"] == {version!r}, request.headers
    assert request.url.path == {path!r}, request.url
    return httpx.Response(200, json=json.loads({body!r}))

with Admin(access_token="t", transport=httpx.MockTransport(respond)) as admin:
    print({calls})
"""


def run_generate_sh(tree: Path, *arguments: str | Path, folder: Path) -> Run:
    """Run scripts/generate.sh itself, with an environment that is already installed."""
    venv = folder / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (venv / "bin/python").chmod(0o755)
    locked = (tree / "scripts/requirements/dev.txt").read_bytes() + (tree / "pyproject.toml").read_bytes()
    (venv / "installed-dev").write_text(f"{hashlib.sha256(locked).hexdigest()}  -\n", encoding="utf-8")
    env = os.environ | {"PINECONE_ADMIN_VENV": str(venv), "MYPY_CACHE_DIR": str(find_mypy_cache())}
    command = [tree / "scripts/generate.sh", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


PLACES = re.compile(r" \([\w./]+\.py:\d+.*\)$|(?<=\.py):\d+(?=:)")


def strip_places(lines: Iterable[str]) -> list[str]:
    """Return the lines of a report without line numbers and without the places that a change concerns.

    They move with each edit of the package.
    """
    return [PLACES.sub("", line) for line in lines]


@pytest.mark.long
def test_the_next_version_is_adopted_in_one_command(tree: Path, tmp_path: Path) -> None:
    """It runs from any folder and reports the changes, and the new operation can be sent at once."""
    (tree / "mypy.py").touch()
    spec = write_json(tmp_path / "next.json", make_next_version())
    done = run_generate_sh(tree, "next.json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = strip_places(done.stdout.splitlines())
    assert [line for line in lines[:-1] if not line.startswith("unused rule: ")] == [
        "breaking: User.name: removed",
        "compatible: API version: is now 2027-01, was 2026-07",
        "compatible: fetch_audit: new operation",
        "compatible: CreateProjectRequest.region: new",
        "compatible: RoleName: new value OrgAuditor",
        "compatible: OrganizationRoleName: new value OrgAuditor",
        *GAPS_OF_NEXT_VERSION,
        "openapi/admin.yaml: new, in words of the other document: fetch_audit: write your own",
    ]
    assert (tree / "openapi/admin.yaml").read_bytes() == spec.read_bytes()
    body = json.dumps({"id": "a/b", "by": {"id": "u", "email": "ada@example.com"}})
    calls, path = 'admin.send(fetch_audit(audit_id="a/b"))', "/admin/audits/a/b"
    sent = run_python(
        tree, "-c", SEND.format(operation="fetch_audit", version="2027-01", path=path, body=body, calls=calls)
    )
    assert sent.stdout == "Audit(id='a/b', by=User(id='u', email='ada@example.com'))\n", sent.stderr
    again = run_generate(tree, "--check")
    assert (again.returncode, strip_places(again.stdout.splitlines())) == (0, GAPS_OF_NEXT_VERSION)


USE_MORE_RESOURCES = """
from pinecone_admin import ServiceError, models, operations as call
from pinecone_admin.emulator import Emulator

with Emulator().admin() as admin:
    lantern = admin.send(call.create_lantern(body=models.CreateLanternRequest(name="red")))
    project = admin.projects.create(name="search")
    body = models.CreatePuffinRequest(rules={"a": 1})
    puffin = admin.send(call.create_puffin(project_id=project.id, body=body))
    assert admin.send(call.list_lanterns()).data == [lantern]
    assert admin.send(call.fetch_puffin(project_id=project.id, puffin_id=puffin.id)) == puffin
    admin.send(call.delete_lantern(lantern_id=lantern.id))
    admin.send(call.delete_puffin(project_id=project.id, puffin_id=puffin.id))
    assert admin.send(call.list_lanterns()).data == []
    assert admin.send(call.list_puffins(project_id=project.id)).data == []
    try:
        admin.send(call.archive_lantern(lantern_id=lantern.id))
    except ServiceError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Adopt a document with more resources, a union and small features, and return the copy and the report."""
    fill_mypy_cache()
    folder = tmp_path_factory.mktemp("larger")
    document = document_with_more_resources()
    add_union_of_bindings(document)
    add_small_features(document)
    tree = copy_repository(folder)
    done = run_generate(tree, write_json(folder / "larger.json", document))
    assert (done.returncode, done.stderr) == (0, "")
    return tree, done.stdout.splitlines()


@pytest.mark.long
def test_the_emulator_serves_what_a_document_adds(larger: tuple[Path, list[str]]) -> None:
    """After the adoption alone, plain resources are served, nested ones too, and any other operation is named."""
    tree, lines = larger
    told = [line for line in lines if line.startswith("pinecone_admin/emulator/api/operations.py:")]
    assert any("archive_lantern is answered with 501" in line for line in told), told
    used = run_python(tree, "-c", USE_MORE_RESOURCES)
    assert "[501 UNIMPLEMENTED] archive_lantern is not emulated" in used.stdout, used.stderr


@pytest.mark.long(17)
def test_an_older_version_is_adopted(tree: Path, tmp_path: Path) -> None:
    """Unused settings and lost operations are reported; its operations can be sent, and its namespaces can be used."""
    fill_mypy_cache()
    spec = write_json(tmp_path / "older.json", read_older_document())
    done = run_generate(tree, spec.as_uri())
    assert (done.returncode, done.stderr) == (0, "")
    lines = strip_places(done.stdout.splitlines())
    assert sum(line.endswith(": operation removed") for line in lines) == count_new_operations()
    for label in ("literal InviteStatus at Invite.status", "secret ServiceAccountWithSecret.client_secret"):
        assert any(line.endswith(f"{label} matches nothing: correct the name, or remove the line") for line in lines)
    told = [line for line in lines if line.startswith("pinecone_admin/_async/invites.py:")]
    assert any('no attribute "Invite"' in line and line.endswith("then run scripts/unasync.py") for line in told)
    assert run_python(tree, "-c", "from pinecone_admin.models import Project, on_project").returncode == 0
    again = run_generate(tree, "--check")
    assert (again.returncode, again.stderr) == (0, "")
    calls, path = "admin.send(list_projects()), admin.projects.list()", "/admin/projects"
    code = SEND.format(operation="list_projects", version="2026-04", path=path, body='{"data": []}', calls=calls)
    sent = run_python(tree, "-c", code)
    assert sent.stdout == "ProjectList(data=[]) []\n", sent.stderr


# An analysis of all files, as by scripts/check, takes 20 s: with --whole-grids, it runs, and otherwise one of a sample.
# It is kept, and may find nothing elsewhere than in the files that were asked for.
ANALYSIS = """
import json, os, pathlib, subprocess, sys
files, step = {each for each in sys.argv[1:] if each.endswith(".py")}, int(os.environ["STEP"])
command = [sys.executable, "-m", "basedpyright", *(each for each in sys.argv[1:] if each not in files)]
if step > 1:
    command += ["generated_client", "pinecone_admin/_async/users.py", *sorted(files)[::step]]
env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONSAFEPATH": "1"}
found = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True).stdout
pathlib.Path("pyright.json").write_text(found)
places = {os.path.relpath(each["file"]) for each in json.loads(found)["generalDiagnostics"]}
assert not {each for each in places - files if "_sync/" not in each}
print(found)
"""


def list_untold_errors(tree: Path, output: str) -> set[str]:
    """Return the statements with errors that scripts/check finds by basedpyright and that a report does not tell."""
    found = [
        f"{Path(each['file']).relative_to(tree)}:{each['range']['start']['line'] + 1}"
        for each in json.loads((tree / "pyright.json").read_text(encoding="utf-8"))["generalDiagnostics"]
    ]
    told = {
        find_statement(":".join(line.split(":")[:2])) for line in output.splitlines() if re.match(r"\S+\.py:\d", line)
    }
    return {place for place in found if "/_sync/" not in place and find_statement(place) not in told}


def test_findings_of_type_checkers_are_reported(tree: Path) -> None:
    """Each problem is reported once, with the remedy: by mypy, or else by basedpyright, which may name another line."""
    (tree / "mypy.py").write_text(MYPY, encoding="utf-8")
    path, sync = "pinecone_admin/_async/users.py", "pinecone_admin/_sync/users.py"
    (tree / path).write_text(
        "def list_users():\n    return call(\n        limit=1,\n    )\n\n\nx = 5\n", encoding="utf-8"
    )
    errors = [
        {"file": str(tree / name), "range": {"start": {"line": line}}, "message": "Four\n  more", "rule": "d"}
        for name, line in ((path, 2), (path, 6), (sync, 6))
    ]
    write_json(tree / "pyright.json", {"generalDiagnostics": errors})
    code = "import sys; sys.path.append('scripts'); import generate; print(*generate.find_type_errors(), sep='\\n')"
    done = run_python(tree, "-c", code)
    assert done.stdout.splitlines() == [
        f"{path}:2: One  [a]; Two  [b]: follow the document here, then run scripts/unasync.py",
        "tests/nothing.py:1: Three  [c]: follow the document in the test",
        f"{path}:7: Four  [d]: follow the document here, then run scripts/unasync.py",
    ], done.stderr
    assert list_mypy_errors("") == {}
    assert list_mypy_errors("no such option") == {"mypy": "no such option"}
    assert list_pyright_errors("node: not found\n") == {"basedpyright": "node: not found"}


def make_other_limits() -> Any:
    """Return our document with other limits, fields and filters than the hand-written code knows."""
    document = read_our_document()
    paths, schemas = document["paths"], document["components"]["schemas"]
    limit = {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}}
    who = {"in": "query", "name": "principal_id", "schema": {"type": "string"}}
    sort = {"in": "query", "name": "sort", "schema": {"type": "string", "maxLength": 5}}
    paths["/admin/audits"] = {
        "get": {
            "operationId": "list_audits",
            "parameters": [limit, who, sort],
            "responses": {"204": {"description": "D"}},
        }
    }
    schemas["UpdateProjectRequest"]["properties"]["region"] = {"type": "string", "maxLength": 2}
    schemas["CreateAPIKeyRequest"]["properties"]["name"]["maxLength"] = 256
    schemas["CreateServiceAccountRequest"]["properties"]["name"]["maxLength"] = 100
    email = schemas["CreateInviteRequest"]["properties"].pop("email")
    schemas["CreateInviteRequest"]["properties"]["address"] = email
    schemas["CreateInviteRequest"]["required"] = ["address"]
    schemas["CreateInviteRequest"]["properties"]["days"] = {"type": "number", "minimum": 0.5}
    del schemas["RoleBindingInput"]["properties"]["resource_id"]
    find_parameters(document, "email")[0]["deprecated"] = True
    schemas["Project"]["properties"]["max_pods"]["deprecated"] = True
    schemas["Project"]["properties"]["webhook_secret"] = {"type": "string"}
    paths["/admin/users"]["get"]["deprecated"] = True
    find_parameters(document, "principal_type")[0].update({"name": "kind", "schema": {"type": "string"}})
    for parameter in find_parameters(document, "paginationToken"):
        parameter["name"] = "pagination_token"
    pages = {"type": "object", "properties": {"cursor": {"type": "string"}}}
    for name in ("ServiceAccountList", "ProjectList"):
        schemas[name]["properties"]["pagination"] = pages
    return document


USE_OTHER_LIMITS = """
from generated_client.api import *
from generated_client.models import *
from generated_client.types import Operation
from pinecone_admin import PineconeError
from pinecone_admin._http.operation_checks import check_operation

def problem(operation):
    try:
        check_operation(operation)
    except PineconeError as error:
        return error.message

project = [RoleBindingInput(resource_type="project", role="ProjectViewer")]
hand_built = Operation(id="list_audits", method="GET", path="/admin/audits", returns=None, query={"limit": 500})
account = CreateServiceAccountRequest(name="é" * 50, role_bindings=project)
for operation, expected in (
    (list_audits(limit=500, principal_id="u"), None),
    (list_audits(limit=1001), "limit must be 1 to 1000, not 1001"),
    (list_audits(sort="newest"), "sort must have at most 5 characters, not 6"),
    (hand_built, None),
    (list_role_bindings(principal_id="u", kind=""), None),
    (update_project(project_id="p", body=UpdateProjectRequest(region="eu")), None),
    (update_project(project_id="p", body=UpdateProjectRequest(region="us1")),
     "region must have at most 2 characters, not 3"),
    (update_project(project_id="p", body=UpdateProjectRequest()),
     "pass at least one of name, max_pods, force_encryption_with_cmek, region"),
    (create_api_key(project_id="p", body=CreateAPIKeyRequest(name="x" * 256)), None),
    (create_api_key(project_id="p", body=CreateAPIKeyRequest(name="x" * 257)),
     "name must have 1 to 256 characters, not 257"),
    (create_service_account(body=account), None),
    (create_service_account(body=CreateServiceAccountRequest(name="é" * 51)),
     "name must have 1 to 100 UTF-8 bytes, not 102"),
    (create_invite(body=CreateInviteRequest(address="a@b")), None),
    (create_invite(body=CreateInviteRequest(address="a")), "address is not an email address: 'a'"),
    (create_invite(body=CreateInviteRequest(address="a@b", days=0.1)), "days must be at least 0.5, not 0.1"),
    (create_invite(body=CreateInviteRequest(address="a@b", role_bindings=project)),
     "role_bindings must contain at least one organization role"),
):
    assert problem(operation) == expected, (problem(operation), expected)

import httpx
from pinecone_admin import Admin

def respond(request):
    pages = {"users": {"next": "t"}, "projects": {"cursor": "t"}}[request.url.path.split("/")[-1]]
    return httpx.Response(200, json={"data": [], "pagination": None if request.url.query else pages})

with Admin(access_token="t", transport=httpx.MockTransport(respond)) as admin:
    assert [page.pagination_token for page in admin.users.list().pages()] == ["t", None]
    try:
        found = admin.projects.list()
    except PineconeError as error:
        found = error.message
    assert found == "the pagination of the response has no token of the next page", found

import inspect
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    list_users(), list_invites()
assert [str(each.message) for each in caught] == ["the API document marks list_users as deprecated"], caught
assert caught[0].filename == "<string>", caught[0]
assert "\\nDeprecated." in inspect.getdoc(list_users), list_users.__doc__  # Python 3.13 has it without indentation
assert "email: Deprecated." in list_users.__doc__
assert "max_pods: Deprecated." in Project.__doc__
"""


@pytest.mark.long(16)
def test_validation_follows_the_adopted_document(tree: Path, tmp_path: Path, stride: Callable[[int], int]) -> None:
    """Limits are those of the document, and a rule that no document states is silent where its field is gone.

    For every change of types, the report has each error of basedpyright and of mypy.
    """
    fill_mypy_cache()
    (tree / "basedpyright.py").write_text(ANALYSIS, encoding="utf-8")
    spec = write_json(tmp_path / "other.json", make_other_limits())
    done = run_generate(tree, spec, STEP=str(stride(5)))
    assert (done.returncode, done.stderr) == (0, "")
    for name, problem in (
        ("invites", 'Unexpected keyword argument "email"'),
        ("service_accounts", 'incompatible type "Operation[ServiceAccountList]"; expected "Operation[PageOfList['),
        ("users", 'The function "list_users" is deprecated  [reportDeprecated]'),
    ):
        file = rf"pinecone_admin/_async/{name}\.py:\d"
        told = [line for line in done.stdout.splitlines() if re.match(file, line) and problem in line]
        assert told
        assert all(line.endswith(": follow the document here, then run scripts/unasync.py") for line in told)
    assert not list_untold_errors(tree, done.stdout)
    secret = "openapi/generator.yaml: Project.webhook_secret looks like a secret and is masked: list it under secrets"
    assert secret in done.stdout.splitlines()
    used = run_python(tree, "-c", USE_OTHER_LIMITS)
    assert (used.returncode, used.stderr) == (0, "")


def add_union_of_bindings(document: Any) -> None:
    """Make RoleBindingInput a choice by its resource_type."""
    schemas = document["components"]["schemas"]
    fields = schemas["RoleBindingInput"]["properties"]
    on_organization = {"resource_type": {"type": "string", "enum": ["organization"]}, "role": fields["role"]}
    on_project = on_organization | {
        "resource_type": {"type": "string", "enum": ["project"]},
        "resource_id": fields["resource_id"] | {"minLength": 2},
    }
    choices = {"organization": on_organization, "project": on_project}
    for name, properties in choices.items():
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        schemas[f"{name.title()}RoleBindingInput"] = schema
    references = {name: f"#/components/schemas/{name.title()}RoleBindingInput" for name in choices}
    schemas["RoleBindingInput"] = {
        "oneOf": [{"$ref": each} for each in references.values()],
        "discriminator": {"propertyName": "resource_type", "mapping": references},
    }
    invite = schemas["Invite"]["properties"]
    invite["role_bindings"] = {"type": "array", "items": {"$ref": "#/components/schemas/RoleBindingInput"}}


USE_UNION_OF_BINDINGS = """
import json, httpx
from generated_client.api import create_invite
from pinecone_admin import Admin, PineconeError
from pinecone_admin.models import *

member = OrganizationRoleBindingInput(resource_type="organization", role="OrgMember")
viewer = ProjectRoleBindingInput(resource_type="project", role="ProjectViewer", resource_id="p1")
invite = {"id": "i", "email": "a@b", "status": "pending", "created_at": "2026-07-01T10:00:00Z"}
sent = []

def respond(request):
    sent.append(json.loads(request.content))
    return httpx.Response(201, json=invite | {"role_bindings": sent[-1]["role_bindings"]})

def problem(call):
    try:
        call()
    except PineconeError as error:
        return error.message

with Admin(access_token="t", transport=httpx.MockTransport(respond)) as admin:
    invited = admin.send(create_invite(body=CreateInviteRequest(email="a@b", role_bindings=[member, viewer])))
    assert invited.role_bindings == [member, viewer], invited
    assert sent[-1]["role_bindings"][1] == {
        "resource_type": "project", "role": "ProjectViewer", "resource_id": "p1"}, sent
    for bindings, expected in (
        ([viewer], "role_bindings must contain at least one organization role"),
        ([member, {"resource_type": "project", "role": "ProjectViewer"}],
         "role_bindings[1]: resource_id is missing: a project role requires a project id"),
        ([member, {"resource_type": "project", "role": "ProjectViewer", "resource_id": "p"}],
         "role_bindings[1]: resource_id must have at least 2 characters, not 1"),
    ):
        call = create_invite(body=CreateInviteRequest(email="a@b", role_bindings=bindings))
        found = problem(lambda: admin.send(call))
        assert found == expected, found
    invited = admin.invites.create(email="a@b", role_bindings=[member, {
        "resource_type": "project", "role": "ProjectViewer", "resource_id": "p1"}])
    assert invited.role_bindings == [member, viewer]
    invite["status"] = "pending"
    sent_wrong = httpx.MockTransport(lambda request: httpx.Response(201, json=invite | {
        "role_bindings": [{"resource_type": "organization", "role": "OrgMember"}, {"resource_type": "team"}]}))
with Admin(access_token="t", transport=sent_wrong) as admin:
    found = problem(lambda: admin.send(create_invite(body=CreateInviteRequest(email="a@b", role_bindings=[member]))))
    assert "role_bindings[1].resource_type" in found and "must be one of 'organization', 'project'" in found, found
"""


@pytest.mark.long
def test_a_union_of_role_bindings_is_usable_at_once(larger: tuple[Path, list[str]]) -> None:
    """The tag of RoleBindingInput in the published text may become its discriminator."""
    tree, lines = larger
    assert "breaking: RoleBindingInput: is now a union, was a class" in strip_places(lines)
    used = run_python(tree, "-c", USE_UNION_OF_BINDINGS)
    assert (used.returncode, used.stderr) == (0, "")


@pytest.mark.long
def test_code_that_must_follow_a_union_is_listed(larger: tuple[Path, list[str]]) -> None:
    """Each hand-written line that constructs a class that is now a union is reported with file, line and reason."""
    tree, lines = larger
    text = (tree / "pinecone_admin/models.py").read_text(encoding="utf-8")
    made = [n for n, line in enumerate(text.splitlines(), 1) if "return generated_models.RoleBindingInput(" in line]
    told = [line for line in lines if line.startswith("pinecone_admin/models.py:")]
    assert [int(line.split(":")[1]) for line in told] == made
    assert all("not callable" in line and line.endswith(": follow the document here") for line in told)


def add_small_features(document: Any) -> None:
    """Add features that each once kept a document from being adopted."""
    paths, schemas = document["paths"], document["components"]["schemas"]
    header = {"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 8}}
    paths["/admin/projects"]["post"]["parameters"].append(header)
    paths["/admin/projects/{project_id}"]["get"]["responses"]["204"] = {"description": "Being created."}
    fields = schemas["UpdateProjectRequest"]["properties"]
    fields["region"] = {"type": "string", "nullable": True, "maxLength": 4}
    fields["note"] = {"type": "string", "nullable": True}
    schemas["UpdateProjectRequest"]["required"] = ["note"]
    fields["max_pods"]["default"] = "none"


USE_SMALL_FEATURES = """
import json
from generated_client.api import create_project, fetch_project, update_project
from generated_client.models import CreateProjectRequest, Project, UpdateProjectRequest
from pinecone_admin import PineconeError
from pinecone_admin._http.codec import decode_body, encode_body
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin.models import Null, to_dict

def problem(operation):
    try:
        check_operation(operation)
    except PineconeError as error:
        return error.message

body = CreateProjectRequest(name="x")
assert create_project(body=body).headers == {"Idempotency-Key": None}
assert create_project(body=body, idempotency_key="k1").headers == {"Idempotency-Key": "k1"}
for key, expected in (
    ("k1", None),
    ("123456789", "idempotency_key must have at most 8 characters, not 9"),
    ("a\\r\\nb", "Idempotency-Key contains a line break, a control character or a character outside Latin-1"),
    (" a", "Idempotency-Key has leading or trailing whitespace"),
    (5, "Idempotency-Key must be a str, not int"),
):
    found = problem(create_project(body=body, idempotency_key=key))
    assert found == expected, found

returns = fetch_project(project_id="p").returns
project = {"id": "p", "name": "n", "max_pods": 0, "force_encryption_with_cmek": False, "organization_id": "o"}
assert decode_body(b"", returns) is None
assert decode_body(json.dumps(project).encode(), returns) == Project(**project)
assert decode_body(b"{}", returns).path == "id"

for model, sent in (
    (UpdateProjectRequest(note=Null(), region=Null()), {"note": None, "region": None}),
    (UpdateProjectRequest(note="n"), {"note": "n"}),
):
    assert json.loads(encode_body(model)) == sent, encode_body(model)
    assert problem(update_project(project_id="p", body=model)) is None
    assert to_dict(model)["note"] == sent["note"]
long = update_project(project_id="p", body=UpdateProjectRequest(note=Null(), region="abcde"))
assert problem(long) == "region must have at most 4 characters, not 5"
"""

TYPE_SMALL_FEATURES = """
from generated_client.api import create_project, fetch_project
from generated_client.models import CreateProjectRequest, Project, UpdateProjectRequest
from generated_client.types import Null, Operation

create_project(body=CreateProjectRequest(name="x"), idempotency_key="k")
operation: Operation[Project | None] = fetch_project(project_id="p")
UpdateProjectRequest(note=Null(), region=Null())
UpdateProjectRequest(note="n", region=None)
UpdateProjectRequest(note=None)  # wrong: the field must be sent
"""


@pytest.mark.long
def test_small_features_do_not_block_a_version(larger: tuple[Path, list[str]]) -> None:
    """A header, a meaning of null, an empty success and a wrong default are adopted and usable."""
    tree, lines = larger
    lines = strip_places(lines)
    assert "compatible: create_project.idempotency_key: new" in lines
    assert "breaking: fetch_project response: may now be empty" in lines
    assert "breaking: UpdateProjectRequest.note: new, required" in lines
    used = run_python(tree, "-c", USE_SMALL_FEATURES)
    assert (used.returncode, used.stderr) == (0, "")
    typed = run_python(tree, "-m", "mypy", "--strict", "--config-file", os.devnull, "-c", TYPE_SMALL_FEATURES)
    assert typed.stdout.count("error:") == 1, typed.stdout
    assert 'Argument "note" to "UpdateProjectRequest" has incompatible type "None"' in typed.stdout


ODD = r"""
openapi: 3.0.3
info: {title: 'Odd "API"', version: 2026-04-01}
paths:
  /:
    get: {operationId: get, responses: {200: {description: D, content: {application/json: {schema: {}}}}}}
  /pets/{pet_id}/{class}:
    parameters:
      - {in: path, name: pet_id, required: true, schema: {type: integer}, description: 'Ends with "'}
      - {in: path, name: class, required: true, schema: {$ref: '#/components/schemas/Id'}, description: 'Ends with \'}
    put:
      tags: [class]
      operationId: import
      summary: '"Quoted"'
      description: 'A back\slash, \N and \"""three\""", and at the end "'
      parameters:
        - {in: query, name: 'filter[name]', schema: {type: string}}
        - {in: query, name: body, schema: {type: array, items: {type: integer}}}
        - {in: query, name: class, schema: {type: number}}
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Operation'}}}
      responses: {200: {description: D, content: {application/json: {schema: {$ref: '#/components/schemas/Odd'}}}}}
    delete: {tags: [日本 語], operationId: delete-it, responses: {'204': {description: D}}}
  /nothing: {get: {operationId: nothing, responses: {2XX: {$ref: '#/components/responses/Deep'}}}}
components:
  responses:
    Deep:
      description: D
      content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Odd'}}}}
  schemas:
    Id: {type: string, format: uuid}
    Operation: {type: object, properties: {any: {$ref: '#/components/schemas/Any'}}}
    Any: {type: string, description: 'Ends with "', enum: [a, 'b"c', "d'e"]}
    OddKind: {type: object, properties: {a: {type: string}}}
    Odd:
      title: Odd
      type: object
      required: [kind, '@key', none, numbers, field]
      properties:
        kind: {type: string, enum: [odd, even]}
        id: {type: integer}
        '@key': {type: string}
        3d-view: {type: boolean, default: true}
        odd: {$ref: '#/components/schemas/Odd'}
        none: {type: string, nullable: true, format: date-time}
        numbers: {type: array, items: {type: number, nullable: true}}
        map: {type: object, additionalProperties: {type: object, properties: {a: {type: string}}}}
        field: {type: string, description: 'Ends with "'}
        self: {type: string, format: date}
        nested: {type: object, properties: {kind: {type: object, properties: {b: {type: string, enum: [c]}}}}}
"""

USE_ODD = """
import json
from generated_client.api import delete_it, get, import_, nothing
from pinecone_admin._http.codec import decode_body, encode_body

put = import_(pet_id=7, class_path="c", body={"any": "a"}, body_=["1"], class_query="1")
assert dict(put.path_parameters) == {"pet_id": "7", "class_path": "c"}, put
assert dict(put.query) == {"filter[name]": None, "body": ["1"], "class": "1"}, put
inner = {"kind": "?", "id": 2, "@key": "y", "numbers": [], "field": "g", "3d-view": True}
odd = {"kind": "odd", "@key": "x", "odd": inner, "numbers": [1.5, None], "field": "f", "map": {"m": 1}}
for changes, path in (
    ({"odd": {"kind": 3}}, "odd.kind"),
    ({"odd": inner | {"@key": 1}}, "odd.@key"),
    ({"numbers": [1.5, "x"]}, "numbers[1]"),
    ({"none": "x"}, "none"),
    ({"map": []}, "map"),
    ({"3d-view": 1}, "3d-view"),
    ({"nested": {"kind": {"b": 5}}}, "nested.kind.b"),
):
    misfit = decode_body(json.dumps(odd | changes).encode(), put.returns)
    assert misfit.path == path, misfit
    assert decode_body(json.dumps([odd, odd | changes]).encode(), nothing().returns).path == "[1]." + path
for operation, response in ((get(), ["a", ["b"]]), (nothing(), [odd]), (put, odd)):
    assert json.loads(encode_body(decode_body(json.dumps(response).encode(), operation.returns))) == response
assert delete_it(pet_id=7, class_="c").returns is None
"""


@pytest.mark.long(10)
def test_an_odd_document_is_adopted(tree: Path, tmp_path: Path) -> None:
    """Circular schemas, keywords and quotes import, type-check and decode."""
    (tmp_path / "odd.yaml").write_text(ODD, encoding="utf-8")
    (tree / "mypy.py").touch()
    done = run_generate(tree, tmp_path / "odd.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    (tree / "mypy.py").unlink()
    used = run_python(tree, "-c", USE_ODD)
    assert (used.returncode, used.stderr) == (0, "")
    strict = ("--strict", "--config-file", os.devnull, "--cache-dir", str(tmp_path / "mypy"), "-p", "generated_client")
    typed = run_python(tree, "-m", "mypy", *strict)
    assert typed.returncode == 0, typed.stdout


@pytest.mark.long
def test_adoption_has_a_dry_run(untouched: Path) -> None:
    """With --check, the report and the diff are printed, and nothing is written."""
    before = hash_files(untouched)
    spec = write_json(untouched.parent / "next.json", make_next_version())
    tried = run_generate(untouched, "--check", spec)
    assert tried.returncode == 1
    assert strip_places(tried.stdout.splitlines())[0] == "breaking: User.name: removed"
    assert "+class Audit:" in tried.stdout.splitlines()
    assert hash_files(untouched) == before


@pytest.mark.parametrize("arguments", [("--nonsense",), ("--check", "-x"), ("one", "two"), ("",)])
def test_wrong_arguments_print_the_usage(arguments: tuple[str, ...]) -> None:
    """An unknown option, a second document and an empty argument are wrong."""
    done = subprocess.run([ROOT / "scripts/generate.sh", *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: scripts/generate.sh [--check] [SPEC]\n")


@pytest.fixture
def served_folder(tmp_path: Path) -> Iterator[str]:
    """Serve the temporary folder over HTTP on a loopback port, and return its URL."""
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def test_a_document_is_read_from_a_path_or_a_url(tmp_path: Path, served_folder: str) -> None:
    """An http or file URL works, and an error status is refused."""
    (tmp_path / "spec.yaml").write_text(MINIMAL, encoding="utf-8")
    for source in (str(tmp_path / "spec.yaml"), (tmp_path / "spec.yaml").as_uri(), f"{served_folder}/spec.yaml"):
        assert fetch_bytes(source) == MINIMAL.encode()
    with pytest.raises(DocumentError, match=r"^cannot read .*/nowhere.yaml: the server responded with status 404$"):
        fetch_bytes(f"{served_folder}/nowhere.yaml")
    with pytest.raises(DocumentError, match=r"^cannot read "):
        fetch_bytes("http://[")
