"""Generation as a command, in a copy of the tree: the check, and the adoption of other API documents."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
yaml = YAML(typ="safe")
DOCUMENT: Any = yaml.load(ROOT / "openapi/admin.yaml")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what generation reads and writes."""
    for folder in ("generated_client", "openapi", "pinecone_admin", "requirements", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def generate(tree: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run generate.sh of the copy with the environment that runs the tests."""
    return subprocess.run(
        ["bash", str(tree / "scripts/generate.sh"), *arguments],
        cwd=tree.parent,
        env=os.environ | {"PINECONE_ADMIN_VENV": sys.prefix} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def digest(tree: Path) -> dict[str, str]:
    """Give the state of every file."""
    files = (path for path in sorted(tree.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def write(path: Path, document: Any) -> str:
    """Write an API document."""
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(document, file)
    return str(path)


def run(tree: Path, code: str) -> str:
    """Run Python in the copy."""
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_edited_file_is_shown_as_a_diff(tree: Path) -> None:
    """The check prints what differs, from any folder and with any hash seed, and writes nothing."""
    path = tree / "generated_client/models/user.py"
    path.write_text(path.read_text() + "x = 1\n")
    before = digest(tree)
    done = generate(tree, "--check", PYTHONHASHSEED="7")
    assert done.returncode == 1
    assert "-x = 1" in done.stdout.splitlines()
    assert digest(tree) == before


def test_the_next_version_is_adopted_and_its_operations_are_called_at_once(tree: Path) -> None:
    """A new operation, field and role are there, typed, and the report says so; so is what was removed."""
    document = deepcopy(DOCUMENT)
    document["paths"]["/admin/projects/{project_id}/pause"] = {
        "post": deepcopy(document["paths"]["/admin/projects/{project_id}"]["get"]) | {"operationId": "pause_project"}
    }
    project = document["components"]["schemas"]["Project"]
    project["properties"]["paused_at"] = {"type": "string", "format": "date-time", "description": "When."}
    del project["properties"]["max_pods"]
    project["required"].remove("max_pods")
    document["components"]["schemas"]["RoleBinding"]["properties"]["role"]["x-enum"] += ["OrgAuditor"]
    done = generate(tree, write(tree.parent / "next.yaml", document))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "new operation pause_project" in lines
    assert "fetch_project: new Project.paused_at" in lines
    assert "BREAKING fetch_project: Project.max_pods is gone" in lines
    assert "fetch_role_binding: RoleBinding.role now lists OrgAuditor" in lines
    code = """
import httpx
from pinecone_admin import Admin
from pinecone_admin.operations import pause_project
body = {"id": "p", "name": "n", "force_encryption_with_cmek": False, "organization_id": "o",
        "paused_at": "2026-07-01T00:00:00Z"}
def answer(request):
    return httpx.Response(200, json=body, headers={"x-path": request.url.path})
with Admin(access_token="t", transport=httpx.MockTransport(answer)) as admin:
    print(admin.send(pause_project(project_id="p")).paused_at.year)
"""
    assert run(tree, code) == "2026\n"


def test_an_older_document_leaves_generated_client_and_send_working(tree: Path) -> None:
    """Without paging and service accounts the namespaces cannot all be used, but every operation can."""
    published = ROOT.parent / "shared/upstream/admin_2026-04.oas.yaml"
    spec = str(published)
    if not published.exists():
        document = deepcopy(DOCUMENT)
        kept = ("organizations", "projects", "api-keys")
        document["paths"] = {path: item for path, item in document["paths"].items() if path.split("/")[2] in kept}
        names = ("Invite", "User", "RoleBinding", "ServiceAccount")
        every = document["components"]["schemas"]
        document["components"]["schemas"] = {k: v for k, v in every.items() if not any(name in k for name in names)}
        spec = write(tree.parent / "older.yaml", document)
    done = generate(tree, spec)
    assert done.returncode == 0, done.stderr
    assert "matches nothing in this document: literal InviteStatus at Invite.status" in done.stdout.splitlines()
    code = """
import httpx
from pinecone_admin import Admin
from pinecone_admin.operations import list_projects
def answer(request):
    return httpx.Response(200, json={"data": []})
with Admin(access_token="t", transport=httpx.MockTransport(answer)) as admin:
    print(admin.send(list_projects()).data, admin.projects.list())
"""
    assert run(tree, code) == "[] []\n"


NULLABLE = """openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /x:
    post:
      operationId: make
      requestBody:
        content:
          application/json:
            schema: {type: object, properties: {a: {type: string, nullable: true}}}
      responses: {'200': {description: d}}
"""
REFUSED = {
    "missing": (None, "cannot be read: [Errno 2] No such file or directory"),
    "not YAML": ("a: [", "is not YAML: "),
    "a list": ("[1, 2]", "is not an OpenAPI 3 document"),
    "Swagger 2": ("swagger: '2.0'\n", "is not an OpenAPI 3 document"),
    "OpenAPI without paths": ("openapi: 3.0.3\ninfo: {title: t, version: '1'}\n", "is not valid: "),
    "a nullable request field": (NULLABLE, "make: a nullable request field is not supported: body.a"),
    "two kinds of success": (
        NULLABLE.replace(", nullable: true", "").replace(
            "{'200': {description: d}}",
            "{'200': {description: d}, '201': {description: d, content: {application/json: {schema: {type: object}}}}}",
        ),
        "make: two kinds of success answer are not supported: 200, 201",
    ),
}


@pytest.mark.parametrize(("content", "line"), REFUSED.values(), ids=REFUSED)
def test_a_document_that_does_not_work_changes_no_file(content: str | None, line: str, tree: Path) -> None:
    """It ends in one clear line."""
    spec = tree.parent / f"{tree.name}.yaml"
    if content is not None:
        spec.write_text(content)
    before = digest(tree)
    done = generate(tree, str(spec))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert line in done.stderr
    assert digest(tree) == before


def test_other_tools_than_the_pinned_ones_are_refused(tree: Path) -> None:
    """What is written depends on their versions and templates to the byte."""
    checksums = tree / "openapi/templates/UPSTREAM.sha256"
    checksums.write_text(checksums.read_text().replace(checksums.read_text()[:64], "0" * 64))
    done = generate(tree, "--check")
    assert done.returncode == 1
    assert "the generator's own templates changed" in done.stderr


def test_an_option_that_does_not_exist_shows_the_usage(tree: Path) -> None:
    """Nothing is guessed."""
    done = generate(tree, "--chekc")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "Usage: scripts/generate.sh [--check] [SPEC]")
