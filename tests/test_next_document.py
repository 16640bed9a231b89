"""Adopting the next API document: a made-up one with thirteen changes is adopted in a copy, and followed.

``new_resource/next_document.yaml`` has the changes. Each thing that has to follow is a line of the report of
``scripts/generate.sh``. What type checkers find comes in addition, and is not read here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_new_resource import CHECKERS, ROOT, copy_project, run

CHANGES = ROOT / "tests/new_resource/next_document.yaml"
EXCLUDED = ["export_usage", "read_audit"]

REPORT = r"""
breaking: Project\.max_pods: removed \(pinecone_admin/_async/projects\.py:\d+, .*\)
breaking: CreateProjectRequest\.max_pods: removed \(pinecone_admin/_async/projects\.py:\d+, .*\)
breaking: UpdateProjectRequest\.max_pods: removed \(pinecone_admin/_async/projects\.py:\d+, .*\)
breaking: CreateAPIKeyRequest\.name: maxLength is now 60, was 80 \(pinecone_admin/_async/api_keys\.py:\d+, .*\)
breaking: CreateInviteRequest\.locale: new, required \(pinecone_admin/_async/invites\.py:\d+, pinecone_admin/_async/workflows/ensure_invite\.py:\d+, .*\)
breaking: resend_invite: renamed to remind_invite \(pinecone_admin/_async/invites\.py:\d+, .*\)
pinecone_admin/_async/users\.py:\d+: list_users\.sort: no method passes it: .*
pinecone_admin/_async/invites\.py:\d+: CreateInviteRequest\.locale: no method passes it: .*
pinecone_admin/_async/projects\.py:\d+: CreateProjectRequest\.pod_limit: no method passes it: .*
pinecone_admin/_async/projects\.py:\d+: UpdateProjectRequest\.pod_limit: no method passes it: .*
pinecone_admin/_async/organizations\.py:\d+: UpdateOrganizationRequest\.motto: no method passes it: .*
pinecone_admin/_async/invites\.py: remind_invite: no method sends it: .*
pinecone_admin/emulator/api/operations\.py: remind_invite is answered with 501: write its function
pinecone_admin/emulator/api/operations\.py:\d+: list_users: the emulator does not know sort: read it there
pinecone_admin/emulator/api/operations\.py:\d+: create_invite: the emulator does not know locale: read it there
pinecone_admin/emulator/api/operations\.py:\d+: update_organization: the emulator does not know motto: read it there
pinecone_admin/emulator/api/serialization\.py:\d+: Project has no pod_limit, tier, which the document requires: send it
pinecone_admin/emulator/model/settings\.py:\d+: names not all values of PaymentStatus: add Waived
pinecone_admin/cli/nouns/project\.py:\d+: names max_pods, which the document has no more: .*
pinecone_admin/workflows/exporting\.py|pinecone_admin/workflows/desired_state\.py:\d+: names max_pods, .*
pinecone_admin/_http/error_mapping\.py:\d+: names resend_invite, which the document has no more: .*
openapi/generator\.yaml:\d+: limits of CreateProjectRequest\.max_pods matches nothing: .*
openapi/generator\.yaml:\d+: literal SupportTier at Organization\.support_tier matches nothing: .*
""".strip().splitlines()  # noqa: E501 - lines of the report
"""The report, without compatible changes and words."""

EMAIL = '    address = context.query.optional("email", checks.email)\n'
NAME = '    name = context.fields.optional("name", _ORGANIZATION_NAME)\n'
EDITS = [
    (
        "pinecone_admin/_async/users.py",
        "email: str | None = None,",
        "email: str | None = None, sort: str | None = None,",
    ),
    ("pinecone_admin/_async/users.py", "api.list_users(email=email,", "api.list_users(email=email, sort=sort,"),
    (
        "pinecone_admin/_async/invites.py",
        "self, *, email: str, role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike]\n",
        "self, *, email: str, role_bindings: Sequence[RoleBindingInput], locale: str = 'en'\n",
    ),
    (
        "pinecone_admin/_async/invites.py",
        "CreateInviteRequest(email=email, role_bindings=copy_bindings(role_bindings))",
        "CreateInviteRequest(email=email, role_bindings=copy_bindings(role_bindings), locale=locale)",
    ),
    ("pinecone_admin/_async/workflows/ensure_invite.py", "CreateInviteRequest(", 'CreateInviteRequest(locale="en", '),
    ("pinecone_admin/_async/workflows/ensure_user.py", "CreateInviteRequest(", 'CreateInviteRequest(locale="en", '),
    ("pinecone_admin/workflows/change_operations.py", "CreateInviteRequest(", 'CreateInviteRequest(locale="en", '),
    (
        "pinecone_admin/_async/organizations.py",
        "organization_id: str, name: str) -> Organization:",
        "organization_id: str, name: str | None = None, motto: object = None) -> Organization:",
    ),
    (
        "pinecone_admin/_async/organizations.py",
        "UpdateOrganizationRequest(name=name)",
        "UpdateOrganizationRequest(name=name, motto=motto)",
    ),
    (
        "pinecone_admin/emulator/api/operations.py",
        EMAIL,
        f'{EMAIL}    context.query.optional("sort", checks.string)\n',
    ),
    (
        "pinecone_admin/emulator/api/operations.py",
        '    address = fields.required("email", checks.email)\n',
        '    address = fields.required("email", checks.email)\n    fields.required("locale", checks.string)\n',
    ),
    (
        "pinecone_admin/emulator/api/operations.py",
        NAME,
        f'{NAME}    context.fields.optional("motto", checks.nullable(checks.string))\n',
    ),
    ("pinecone_admin/emulator/api/serialization.py", '"max_pods": ', '"tier": 1,\n        "max_pods": '),
    ("pinecone_admin/emulator/model/settings.py", '"Deactivated")', '"Deactivated", "Waived")'),
]
"""The edits beside replaced names: the file, the old text, and the new text."""

RENAMED = {"max_pods": "pod_limit", "max-pods": "pod-limit", "resend_invite": "remind_invite"}

PROGRAM = """
import asyncio, json
from pathlib import Path
from pinecone_admin import Admin, AsyncAdmin, PineconeValueError, models, on_organization
from pinecone_admin.testing import emulate
from tests.cli.command_line import run

with emulate() as emulator, Admin() as admin:
    project = admin.projects.create(name="search", pod_limit=0)
    assert (project.pod_limit, project.tier) == (0, 1)
    assert admin.projects.ensure(name="search", pod_limit=0).value.id == project.id
    admin.organizations.update(organization_id=emulator.organization_id, motto=models.Null())
    invite = admin.invites.create(email="a@example.com", role_bindings=[on_organization("OrgMember")], locale="fr")
    admin.invites.resend(invite_id=invite.id)
    admin.users.ensure(email="b@example.com", role_bindings=[on_organization("OrgMember")])
    assert len(admin.users.list(sort="email").to_list()) == 1
    key = admin.api_keys.create(project_id=project.id, name="ci").key
    assert key.last_used_at is None
    try:
        admin.api_keys.create(project_id=project.id, name="x" * 61)
    except PineconeValueError as error:
        assert error.outcome == "not_sent"
    else:
        raise AssertionError("a name of 61 characters is sent")
    exported = admin.inventory().to_desired_state().to_dict()["projects"][0]
    assert {"name": "search", "pod_limit": 0}.items() <= exported.items()

    async def use() -> None:
        async with AsyncAdmin() as client:
            other = await client.projects.create(name="other", pod_limit=0)
            assert (await client.projects.update(project_id=other.id, pod_limit=0)).tier == 1
            assert [each.email async for each in client.users.list(sort="email")] == [emulator.state.users.listing.after(0, 1)[0].email]
            await client.invites.resend(invite_id=invite.id)

    asyncio.run(use())
    for command in (
        ("project", "create", "third", "--pod-limit", "0", "--yes", "-o", "json"),
        ("project", "update", "third", "--pod-limit", "0", "--yes", "-o", "json"),
        ("invite", "resend", "a@example.com", "--yes"),
        ("export",),
    ):
        done = run(*command)
        assert done.exit == 0, (command, done)
    assert "pod_limit" in done.stdout
    emulator.configure(payment_status="Waived")
"""  # noqa: E501 - a program


def make_next_document(document: Any) -> Any:
    """Return our document with the changes of the next one."""
    for change in yaml.safe_load(CHANGES.read_text(encoding="utf-8")):
        *keys, last = [key.replace("~1", "/") for key in change["at"].split("/")]
        node = document
        for key in keys:
            node = node[key]
        if "set" not in change:
            del node[last]
        elif last == "-":
            node.append(change["set"])
        else:
            node[last] = change["set"]
    return document


def generate(copy: Path) -> subprocess.CompletedProcess[str]:
    """Adopt the next document in the copy."""
    command = [sys.executable, "scripts/generate.py", "next.json"]
    env = os.environ | {"PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)


def follow(copy: Path, report: str) -> set[str]:
    """Change what the report names, and return the files that were changed."""
    changed = {name for name, _, _ in EDITS}
    for name, old, new in EDITS:
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text, (name, old)
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")
    for name in re.findall(r"^(\S+\.py):\d+: names (?:max_pods|resend_invite), ", report, re.MULTILINE):
        text = (copy / name).read_text(encoding="utf-8")
        for old, new in RENAMED.items():
            text = re.sub(rf"\b{old}\b", new, text)
        (copy / name).write_text(text, encoding="utf-8")
        changed.add(name)
    return changed


@pytest.mark.long(60)
def test_what_has_to_follow_is_named_and_works_then(tmp_path: Path) -> None:
    """Each thing is a line with its file; followed, it works: sync, async, on the command line, exported, emulated."""
    copy_project(tmp_path)
    document = yaml.safe_load((tmp_path / "openapi/admin.yaml").read_text(encoding="utf-8"))
    assert len(re.findall(r"change: '?\d+\. ", CHANGES.read_text(encoding="utf-8"))) == 13
    text = json.dumps(make_next_document(document), default=str)
    (tmp_path / "next.json").write_text(text, encoding="utf-8")
    refused = generate(tmp_path)
    head, *obstacles = refused.stderr.splitlines()
    assert head == "generate.sh: cannot generate from next.json:"
    assert [line.split()[0].rstrip(":") for line in obstacles] == EXCLUDED
    settings = tmp_path / "openapi/generator.yaml"
    listed = settings.read_text(encoding="utf-8").replace("exclude: []", f"exclude: [{', '.join(EXCLUDED)}]")
    settings.write_text(listed, encoding="utf-8")
    for name, program in CHECKERS.items():
        (tmp_path / name).write_text(program, encoding="utf-8")
    adopted = generate(tmp_path)
    assert adopted.returncode == 0, adopted.stderr
    for name in CHECKERS:
        (tmp_path / name).unlink()
    for line in REPORT:
        assert re.search(f"^(?:{line})", adopted.stdout, re.MULTILINE), f"{line}\n{adopted.stdout}"
    for line in adopted.stdout.splitlines():
        if place := re.match(r"(\S+\.py):(\d+): ", line):
            assert int(place[2]) <= len((tmp_path / place[1]).read_text(encoding="utf-8").splitlines())
        assert not line.startswith("breaking: ") or re.search(r"\.py:\d+|no hand-written code names it", line), line
    changed = follow(tmp_path, adopted.stdout)
    assert {name for name in changed if name not in adopted.stdout} == set()
    run(tmp_path, "scripts/unasync.py")
    (tmp_path / "use_next.py").write_text(PROGRAM, encoding="utf-8")
    run(tmp_path, "use_next.py")
