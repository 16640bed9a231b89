"""API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import Noun, api_key_argument, if_different, limit, new_name
from pinecone_admin.cli.parameters import KEY_ROLE, Duration, NameOrId, NewName, Reference, Secret
from pinecone_admin.cli.session import Session

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.models import APIKeyRole
    from pinecone_admin.workflows import OnDifference

NOUN = Noun("api-key")

_in_project = click.option(
    "--project", "project_id", type=NameOrId("project"), required=True, help="Name or id of the project."
)
_roles = click.option("--role", "roles", type=KEY_ROLE, multiple=True, help="A role of the key; can be repeated.")


_WITH_OVERLAP = {"keep_old_for": {"consequence": ""}}


@NOUN.command("reads", example="pinecone-admin api-key list --project search")
@click.option(
    "--project",
    "project_id",
    type=NameOrId("project"),
    help="Name or id of the project; default: all projects.",
)
@limit
def list_(call: Call, *, project_id: str | None = None) -> object:
    """List the API keys of a project or of all projects, without their values.

    In a list of all projects, each key also has the name of its project.
    """
    if project_id is None:
        from pinecone_admin.cli.calls.naming import list_all_keys  # noqa: PLC0415 - a help needs no models

        return list_all_keys(call.admin)
    return call.admin.api_keys.list(project_id=project_id)


@NOUN.command("reads", example="pinecone-admin api-key describe reader --project search")
@api_key_argument
def describe(call: Call, *, api_key_id: str) -> object:
    """Show one API key, without its value."""
    return call.admin.api_keys.describe(api_key_id=api_key_id)


@NOUN.session_command(
    "reads", example="pinecone-admin api-key identify --project search --yes", makes_temporary_keys=True
)
@click.option(
    "--project",
    "projects",
    type=NameOrId("project"),
    multiple=True,
    help="Name or id of a project that the key may belong to; can be repeated.",
)
def identify(session: Session, *, projects: Sequence[Reference] = ()) -> None:
    """Find out which API key has a value that leaked. The value is read from standard input and never shown.

    Without --project, the command only reads. With it, the command compares the indexes that the value can list with
    those of each project, until one fits. For that, it creates a temporary API key in the project, and deletes it
    again. The result lists candidates, and proves nothing.

    The exit code is 0 if the value is accepted, 8 if it is not, 7 if the API gave no answer, and 9 if a project
    could not be compared and no other one fits.
    """
    from pinecone_admin.cli.calls.identifying import identify_value  # noqa: PLC0415 - loads the client

    identify_value(session, projects)


@NOUN.command(
    "changes",
    example="pinecone-admin api-key create writer --project search --role DataPlaneEditor "
    "--store file:writer.key --yes",
    makes=Secret("api-key"),
    may_duplicate=True,
)
@new_name("CreateAPIKeyRequest", "Name of the key, 1 to 80 characters.")
@_in_project
@_roles
def create(call: Call, *, project_id: str, name: str, roles: Sequence[APIKeyRole] | None = None) -> object:
    """Create an API key.

    Its value can be read only now: store it, or print it with --reveal. Without --role it may edit the project
    (ProjectEditor).

    If the project has a key with this name, you are asked for the name, because this would create a second one. To use
    the one that exists, run api-key ensure.
    """
    return call.admin.api_keys.create(project_id=project_id, name=name, roles=roles)


@NOUN.command(
    "changes",
    example="pinecone-admin api-key ensure writer --project search --reveal --yes",
    makes=Secret("api-key", may_exist=True),
    is_workflow=True,
)
@new_name("CreateAPIKeyRequest", "Exact name of the key, 1 to 80 characters.")
@_in_project
@_roles
@if_different
def ensure(
    call: Call,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None = None,
    on_difference: OnDifference = "report",
) -> object:
    """Create an API key, unless the project has one with this name.

    Run it again after an interruption: it finds what is there. Do not run two calls for the same name at the same time.
    The value of a key that exists cannot be shown again.
    """
    return call.admin.api_keys.ensure(
        project_id=project_id,
        name=name,
        roles=roles,
        store=call.store,
        on_difference=on_difference,
        dry_run=call.is_dry_run,
    )


@NOUN.command("changes", example="pinecone-admin api-key update reader --project search --name viewer --yes")
@click.option("--name", type=NewName("UpdateAPIKeyRequest"), help="New name, 1 to 80 characters.")
@click.option(
    "--role",
    "roles",
    type=KEY_ROLE,
    multiple=True,
    help="A role that replaces the present roles; can be repeated.",
)
@api_key_argument
def update(
    call: Call, *, api_key_id: str, name: str | None = None, roles: Sequence[APIKeyRole] | None = None
) -> object:
    """Change the name or the roles of an API key."""
    return call.admin.api_keys.update(api_key_id=api_key_id, name=name, roles=roles)


@NOUN.command(
    "deletes",
    example="pinecone-admin api-key delete reader --project search --yes",
    consequence="What uses the API key loses access.",
)
@api_key_argument
def delete(call: Call, *, api_key_id: str) -> None:
    """Delete an API key, which stops working."""
    call.admin.api_keys.delete(api_key_id=api_key_id)


@NOUN.command(
    "changes",
    example="pinecone-admin api-key rotate reader --project search --keep-old-for 7d "
    "--store env-file:.env#PINECONE_API_KEY --yes",
    makes=Secret("api-key", replaces=True),
    is_workflow=True,
    consequence="The old key is deleted as soon as the new value is stored or shown.",
    facts_with=_WITH_OVERLAP,
)
@click.option(
    "--keep-old-for",
    type=Duration(),
    required=True,
    help="How long the old key is kept at least, such as 7d; 0 deletes it at once.",
)
@api_key_argument
def rotate(call: Call, *, api_key_id: str, keep_old_for: timedelta) -> object:
    """Replace an API key with a new one that has the same name and roles.

    The old key keeps working for --keep-old-for, then until delete-retired or rotate-due next runs. If the command
    fails, run it again with the id of the old key, because the name may mean the new key. Do not run two calls for the
    same name at the same time.
    """
    return call.admin.api_keys.rotate(
        api_key_id=api_key_id, store=call.store, keep_old_for=keep_old_for, dry_run=call.is_dry_run
    )


def _warn_if_no_project_is_seen(call: Call) -> None:
    if next(iter(call.admin.projects.list()), None) is None:
        from pinecone_admin.cli.reports.inventory_report import end_without_projects  # noqa: PLC0415 - few runs need it

        end_without_projects(call.session, "the API keys")


@NOUN.command(
    "deletes",
    example="pinecone-admin api-key delete-retired --project search --yes",
    is_workflow=True,
    lists_planned=True,
)
@click.option(
    "--project", "project_id", type=NameOrId("project"), help="Name or id of the project; default: all projects."
)
def delete_retired(call: Call, *, project_id: str | None = None) -> object:
    """Delete the old keys of rotations, and temporary keys of killed runs, after their expiry time."""
    if project_id is None:
        _warn_if_no_project_is_seen(call)
    return call.admin.api_keys.delete_retired(project_id=project_id, dry_run=call.is_dry_run)


@NOUN.command(
    "changes",
    example="pinecone-admin api-key rotate-due --older-than 90d --keep-old-for 7d "
    "--store 'file:{scope}-{name}.key' --yes",
    makes=Secret("api-key", replaces=True, many=True),
    is_workflow=True,
    lists_planned=True,
    consequence="Each old key is deleted as soon as its new value is stored.",
    facts_with=_WITH_OVERLAP,
)
@click.option("--older-than", type=Duration(), required=True, help="Age above which a key is rotated, such as 90d.")
@click.option(
    "--keep-old-for",
    type=Duration(),
    required=True,
    help="How long old keys are kept at least, such as 7d; the first run after that deletes them.",
)
@click.option(
    "--project", "project_id", type=NameOrId("project"), help="Name or id of the project; default: all projects."
)
def rotate_due(call: Call, *, older_than: timedelta, keep_old_for: timedelta, project_id: str | None = None) -> object:
    """Rotate every API key that is older than --older-than.

    The command also finishes what an earlier run left, and deletes old keys after their expiry time. It is made for
    a nightly job: one key that fails does not stop the others. Do not run two calls for the same organization at
    the same time.
    """
    if project_id is None:
        _warn_if_no_project_is_seen(call)
    from pinecone_admin._sync.workflows.rotate_due import rotate_due_keys  # noqa: PLC0415 - a help needs no models
    from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - as above

    with open_run(call.admin, "rotate_due", dry_run=call.is_dry_run) as run:
        return rotate_due_keys(
            run,
            older_than=older_than,
            keep_old_for=keep_old_for,
            store=call.store,
            project_id=project_id,
            begin=call.begun.append,
        )
