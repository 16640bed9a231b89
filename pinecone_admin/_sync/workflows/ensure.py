# Derived from pinecone_admin/_async/workflows/ensure.py by scripts/unasync.py: change that, not this file.
"""Ensure that a project or an invite exists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, fields

from pinecone_admin._http.argument_checks import check_bool, copy_bindings, set_operation_on_errors
from pinecone_admin._http.lookup import is_same_email, require_single
from pinecone_admin._http.operation_checks import check_operation
from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin._sync.workflows.client_state import runs_workflow
from pinecone_admin._sync.workflows.find_or_create import Ensurable
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.rollback import Rollback, join_rollback
from pinecone_admin.models import (
    CreateInviteRequest,
    CreateProjectRequest,
    Invite,
    Project,
    RoleBindingDict,
    RoleBindingInput,
    RoleBindingLike,
)
from pinecone_admin.operations import create_invite, create_project
from pinecone_admin.workflows.quoting import describe_thing
from pinecone_admin.workflows.reports import (
    Difference,
    Ensured,
    OnDifference,
    compare_settings,
    keys_of_wanted_bindings,
)
from pinecone_admin.workflows.steps import Step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


@runs_workflow
def ensure_project(
    admin: Admin,
    *,
    name: str,
    max_pods: int | None = None,
    force_encryption_with_cmek: bool | None = None,
    on_difference: OnDifference = "report",
    dry_run: bool = False,
    rollback: Rollback | None = None,
    known: Collection[str] | None = None,
) -> Ensured[Project]:
    """Ensure that a project with this name exists; none is looked for if the ids of all others are ``known``."""
    policy = DifferencePolicy("ensure_project", on_difference)
    with set_operation_on_errors("ensure_project"):
        policy.check()
        check_bool("dry_run", dry_run)
    body = CreateProjectRequest(name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek)
    operation = create_project(body=body)
    check_operation(operation)

    others = {*(known or ())}

    def find() -> Project | None:
        projects = [each for each in admin.projects.list() if each.id not in others]
        named = [each for each in projects if each.name == name]
        others.update(each.id for each in projects if each.name != name)  # one that gets the name later is not new
        return require_single(named, f"projects named {name!r}") if named else None

    changes = ChangeLog(dry_run=dry_run)
    attributes = fields(Project)
    settings: dict[str, Any] = {
        attributes.max_pods.name: max_pods,
        attributes.force_encryption_with_cmek.name: force_encryption_with_cmek,
    }
    requested = {each: value for each, value in settings.items() if value is not None}
    wanted = Ensurable(
        description=f"project {name!r}",
        step=lambda made: Step(
            action="create", kind="project", name=name, id=None if made is None else made.id, after=requested
        ),
        find=find,
        create=partial(admin.send, operation),
        undo=lambda made: (
            describe_thing("project", made.name, made.id),
            lambda client: client.projects.delete(project_id=made.id),
        ),
        is_unique=False,
        is_missing=known is not None,
    )
    with join_rollback(admin, rollback) as undo:
        project, created, _ = wanted.find_or_create(admin, changes, undo)
        if project is None:
            return Ensured(value=None, created=True, steps=changes.steps)
        differing = compare_settings(**{each: (getattr(project, each), value) for each, value in settings.items()})
        policy.refuse(f"project {project.id}", differing)
        if differing and policy.updates:
            changed = {each.setting: settings[each.setting] for each in differing}
            found = {each: getattr(project, each) for each in changed}
            step = Step(action="update", kind="project", name=name, id=project.id, before=found, after=changed)
            update = partial(admin.projects.update, project_id=project.id, **changed)
            project = changes.apply(step, update, preview=evolve(project, **changed))
    return Ensured(value=project, created=created, differences=differing, steps=changes.steps)


@runs_workflow
def ensure_invite(
    admin: Admin,
    *,
    email: str,
    role_bindings: Sequence[RoleBindingInput | RoleBindingDict | RoleBindingLike],
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
    dry_run: bool = False,
    is_missing: bool = False,
) -> Ensured[Invite]:
    """Ensure that a pending invite for this address exists; an expired one is sent again.

    With ``is_missing``, neither exists, as the caller has just read, and the roles of what is created are not read.
    """
    policy = DifferencePolicy("ensure_invite", on_difference, revoke_unlisted)
    with set_operation_on_errors("ensure_invite"):
        policy.check()
        check_bool("dry_run", dry_run)
    bindings = copy_bindings(role_bindings)
    operation = create_invite(body=CreateInviteRequest(email=email, role_bindings=bindings))
    check_operation(operation)
    expired: list[Invite] = []
    differing: list[Difference] = []

    def find() -> Invite | None:
        invites = [each for each in admin.invites.list() if is_same_email(each.email, email)]
        pending = [each for each in invites if each.status == "pending"]
        expired[:] = [each for each in invites if each.status == "expired"]
        if pending:
            return require_single(pending, f"invites for {email}")
        if expired and policy.on_difference != "report":  # before the mail, with which the roles can be accepted
            differing[:] = reconcile_bindings(
                admin, expired[-1], wanted=bindings, policy=policy, changes=changes, rollback=rollback
            )
        return None

    def create() -> Invite:
        if expired:
            return admin.invites.resend(invite_id=expired[-1].id)
        return admin.send(operation)

    changes = ChangeLog(dry_run=dry_run)
    described = f"invite for {email}"
    roles = [str(each) for each in keys_of_wanted_bindings(bindings)]
    wanted = Ensurable(
        description=described,
        step=lambda made: Step(
            action="invite",
            kind="invite",
            name=email,
            id=None if made is None else made.id,
            after={} if expired else {"roles": roles},
        ),
        find=find,
        create=create,
        undo=None,
        is_unique=True,
        is_missing=is_missing,
    )
    with Rollback(admin) as rollback:
        invite, created, is_certain = wanted.find_or_create(admin, changes, rollback)
        if invite is None or (is_missing and created and is_certain):
            return Ensured(value=invite, created=True, differences=differing, steps=changes.steps)
        if created:
            rollback.keep(f"{described} was sent, and is kept")
        differing = differing or reconcile_bindings(
            admin, invite, wanted=bindings, policy=policy, changes=changes, rollback=rollback
        )
    return Ensured(value=invite, created=created, differences=differing, steps=changes.steps)
