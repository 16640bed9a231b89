"""The contents of a reader's organization before the examples of a page run. No page creates them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pinecone_admin import Admin, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import OrganizationRoleName
from tests.support.secret_managers import install_stand_ins

Setup = Callable[[Emulator, Admin, Path], Mapping[str, str] | None]
"""Prepares the organization, and the folder of the examples; may return further variables."""


def create_project(admin: Admin, name: str, *keys: str) -> dict[str, str]:
    """Create a project with API keys, and return their values by name."""
    project = admin.projects.create(name=name)
    return {key: admin.api_keys.create(project_id=project.id, name=key).value for key in keys}


def create_account(admin: Admin, name: str, role: OrganizationRoleName = "OrgMember") -> None:
    """Create a service account with a role on the organization."""
    admin.service_accounts.create(name=name, role_bindings=[on_organization(role)])


def account(name: str) -> Setup:
    """Return a setup that creates a service account."""
    return lambda _emulator, admin, _folder: create_account(admin, name)


def empty_project(name: str) -> Setup:
    """Return a setup that creates a project without keys."""

    def setup(_emulator: Emulator, admin: Admin, _folder: Path) -> None:
        create_project(admin, name)

    return setup


def members(*names: str) -> Setup:
    """Return a setup that adds members who are no owners."""

    def setup(emulator: Emulator, _admin: Admin, _folder: Path) -> None:
        for name in names:
            emulator.add_user(f"{name}@example.com", roles=["OrgMember"])

    return setup


def control(emulator: Emulator, _admin: Admin, _folder: Path) -> Mapping[str, str]:
    """Name the control interface."""
    return {"CONTROL": f"{emulator.host}/_emulator"}


def rotations(_emulator: Emulator, admin: Admin, _folder: Path) -> None:
    """Create the keys that are rotated."""
    create_project(admin, "shop", "writer", "mobile")


def old_keys(emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create keys that are 91 days old, and stand-ins of the commands of secret managers."""
    create_project(admin, "search", "reader")
    create_project(admin, "shop", "web")
    emulator.clock.advance(91 * 86_400)
    install_stand_ins(folder / "bin")


def terraform(_emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create a project and a key as Terraform would, and stand-ins of it and of Vault."""
    project = admin.projects.create(name="search")
    admin.api_keys.create(project_id=project.id, name="reader")
    install_stand_ins(folder / "bin")
    script = f"""#!/bin/sh
case "$*" in
  "output -raw search_project_id") printf %s {project.id} ;;
  "state rm pinecone_api_key.reader") ;;
  *) exit 1 ;;
esac
"""
    (folder / "bin/terraform").write_text(script, encoding="utf-8")
    (folder / "bin/terraform").chmod(0o755)


def identities(_emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create the project of the tests, and stand-ins of the commands of GitHub and GitLab."""
    create_project(admin, "search")
    install_stand_ins(folder / "bin")


def review(emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create a project with a key, and keep an inventory from before a person was added."""
    create_project(admin, "search", "reader")
    inventory = json.dumps(admin.inventory().to_dict())
    (folder / "last-review.json").write_text(inventory, encoding="utf-8")
    emulator.add_user("ada@example.com")


def leaked_key(emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create a project with an index and keys, and write the value of one into a file."""
    values = create_project(admin, "search", "reader", "writer", "backend")
    emulator.hold(admin.projects.describe_by_name(name="search").id, "indexes", "documents")
    (folder / "leaked.txt").write_text(f"{values['reader']}\n", encoding="utf-8")


def leaked_account(_emulator: Emulator, admin: Admin, folder: Path) -> None:
    """Create a service account, and write its secret into a file."""
    made = admin.service_accounts.create(name="nightly", role_bindings=[on_organization("OrgManager")])
    (folder / "leaked.txt").write_text(f"{made.client_secret}\n", encoding="utf-8")


def unfinished(_emulator: Emulator, admin: Admin, _folder: Path) -> None:
    """Create a key and a service account as an interrupted run leaves them."""
    create_project(admin, "search", "~makes:1f0c2a9b reader")
    create_account(admin, "~makes:1f0c2a9b nightly")


def workflows(_emulator: Emulator, admin: Admin, _folder: Path) -> None:
    """Create the account that the examples change, and the project that they delete."""
    create_account(admin, "reporter", "OrgManager")
    create_project(admin, "old-experiment")


SETUPS: Mapping[str, Setup] = {
    "docs/emulator-control.md": control,
    "docs/how-to/beside-terraform.md": terraform,
    "docs/how-to/ci-identity.md": empty_project("search"),
    "docs/how-to/key-for-one-test-run.md": empty_project("search"),
    "docs/how-to/github-actions-and-gitlab.md": identities,
    "docs/how-to/invite-a-person.md": empty_project("atlas"),
    "docs/how-to/organization-in-a-file.md": empty_project("search"),
    "docs/how-to/scim.md": members("ada"),
    "docs/how-to/offboard-a-person.md": members("ada", "bob", "eve", "joe", "kim", "lee"),
    "docs/how-to/provision-a-tenant.md": account("tenant-support"),
    "docs/how-to/review-access.md": review,
    "docs/how-to/rotate-a-key.md": rotations,
    "docs/how-to/rotate-every-night.md": old_keys,
    "docs/how-to/send-an-operation.md": empty_project("draft"),
    "docs/runbooks/leaked-account-secret.md": leaked_account,
    "docs/runbooks/leaked-key.md": leaked_key,
    "docs/runbooks/names-with-tilde.md": unfinished,
    "docs/runbooks/offboarding-evidence.md": members("ada"),
    "docs/coming-from-the-official-sdk.md": empty_project("search"),
    "docs/workflows.md": workflows,
}
"""The setups by page."""
