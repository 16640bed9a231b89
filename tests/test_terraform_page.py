"""docs/how-to/beside-terraform.md: a file that names the projects of Terraform by their ids never makes a project."""

from __future__ import annotations

import yaml

from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import DesiredState
from tests.support.recipes import list_blocks

(TEXT,) = [block.text for block in list_blocks("docs/how-to/beside-terraform.md") if block.language == "yaml"]


def test_a_project_of_terraform_is_never_made() -> None:
    """With the project, its key is planned and nothing else; without it, it is left out with its key."""
    emulator = Emulator()
    file = yaml.safe_load(TEXT) | {"organization": emulator.state.organization.id}
    with emulator.admin() as admin:
        plan = admin.plan(DesiredState.from_dict(file))
        assert (plan.changes, len(plan.stopped)) == ([], 1)
        assert "nothing has the id" in plan.stopped[0]
        file["projects"][0]["id"] = admin.projects.create(name="search").id
        [change] = admin.plan(DesiredState.from_dict(file)).changes
        assert (change.action, change.target.kind) == ("create", "api_key")


def test_a_project_that_terraform_renamed_is_renamed_back() -> None:
    """The file has the name that the project had."""
    emulator = Emulator()
    file = yaml.safe_load(TEXT) | {"organization": emulator.state.organization.id}
    with emulator.admin() as admin:
        file["projects"][0]["id"] = admin.projects.create(name="search-eu").id
        plan = admin.plan(DesiredState.from_dict(file))
        assert any(str(each).startswith("rename project search-eu") for each in plan.changes)
