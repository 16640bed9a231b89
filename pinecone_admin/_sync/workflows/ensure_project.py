# Derived from pinecone_admin/_async/workflows/ensure_project.py by scripts/unasync.py: change that, not this file.
"""Ensure that a project exists."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from attrs import evolve

from pinecone_admin._http.argument_checks import as_plain_value, set_operation_on_errors
from pinecone_admin._http.lookup import find_named, is_same_name, require_single
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import RefusedError
from pinecone_admin.models import (
    CreateProjectRequest,
    Project,
)
from pinecone_admin.operations import create_project
from pinecone_admin.workflows.change_operations import fits
from pinecone_admin.workflows.changes import Change, Ref, Settings
from pinecone_admin.workflows.ending import Created, refer_to
from pinecone_admin.workflows.organization_index import read_settings
from pinecone_admin.workflows.reports import Ensured, OnDifference, compare_settings


def ensure_project(
    run: Run,
    *,
    name: str,
    max_pods: int | None = None,
    force_encryption_with_cmek: bool | None = None,
    on_difference: OnDifference = "report",
) -> Ensured[Project]:
    """Ensure that a project with this name exists."""
    name = as_plain_value(name)
    policy, began = DifferencePolicy("ensure_project", on_difference), len(run.steps)
    with set_operation_on_errors("ensure_project"):
        policy.check()
    body = CreateProjectRequest(name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
    check_operation(create_project(body=body))
    settings = Settings(max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
    projects = run.admin.projects.list()
    if named := find_named(projects, name):
        project, created = require_single(named, f"projects named {quote_name(name)}"), False
    else:
        change = Change(action="create", target=Ref("project", name), settings=settings)
        found_or_created = create_missing_project(run, change, {each.id for each in projects})
        if run.dry_run:
            return Ensured(value=None, created=True, steps=run.steps[began:])
        project, created = found_or_created.value, found_or_created.is_new
    wanted = settings.fields
    found = read_settings(project).fields
    differing = compare_settings(**{each: (found.get(each), value) for each, value in wanted.items()})
    policy.refuse(f"project {project.id}", differing)
    if differing and policy.updates:
        changed, before = (
            Settings(**{each.setting: fields[each.setting] for each in differing}) for fields in (wanted, found)
        )
        update = Change(action="update", target=refer_to(project), settings=changed, before=before)
        project = cast("Project", run.do(update, preview=evolve(project, **changed.fields)))
    return Ensured(value=project, created=created, differences=differing, steps=run.steps[began:])


def create_planned_project(run: Run, change: Change, known: Collection[str]) -> Project:
    """Create a project as ``create_missing_project`` does, and with exactly the settings of the change.

    Raises:
        RefusedError: There is now another project of that name, with other settings.
    """
    project = (create_missing_project(run, change, known)).value
    if not fits(change, read_settings(project), frozenset()):
        differs = "exists, and its settings differ, so somebody else may have made it; make another plan"
        raise RefusedError(f"{refer_to(project)} {differs}", operation=run.operation)
    return project


def create_missing_project(run: Run, change: Change, known: Collection[str]) -> Created[Project]:
    """Create a project with a name that none of those has whose ids are known."""
    name, others = change.target.name or "", {*known}
    run.known.update(known)

    def find_new() -> Project | None:
        projects = [each for each in run.admin.projects.list() if each.id not in others]
        named = [each for each in projects if is_same_name(each.name, name)]
        others.update(each.id for each in projects if each not in named)  # one that gets the name later is not new
        return require_single(named, f"projects named {quote_name(str(name))}") if named else None

    def is_as_sent(found: Project) -> bool:
        return fits(change, read_settings(found), frozenset())

    return run.create(change, find_new, fits=is_as_sent, is_unique=False)
