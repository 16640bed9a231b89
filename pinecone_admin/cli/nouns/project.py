"""Projects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.cli.commands import Noun, argument, if_different, limit, new_name, out
from pinecone_admin.cli.parameters import KEY_ROLE, Count, Duration, NameOrId, NewName, ProjectGrant, Secret, is_id
from pinecone_admin.errors import FailedPreconditionError

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.cli.session import Session
    from pinecone_admin.models import APIKeyRole
    from pinecone_admin.workflows import OnDifference, ProjectRoleDict

NOUN = Noun("project")

_own = argument("project_id", "Name or id of the project.", type=NameOrId("project"), metavar="PROJECT")
_max_pods = click.option(
    "--max-pods",
    type=Count(0),
    help="How many pods all indexes of the project may have; a new project has 0.",
)
_require_cmek = click.option(
    "--require-cmek",
    "force_encryption_with_cmek",
    is_flag=True,
    default=None,
    help="Require an encryption key of your own, which cannot be undone.",
)


_WITH_CMEK = {"force_encryption_with_cmek": {"consequence": "--require-cmek cannot be undone."}}


@NOUN.command("reads", example="pinecone-admin project list")
@limit
def list_(call: Call) -> object:
    """List the projects that the account can see."""
    return call.admin.projects.list()


@NOUN.command("reads", example="pinecone-admin project describe search")
@_own
def describe(call: Call, *, project_id: str) -> object:
    """Show one project."""
    return call.admin.projects.describe(project_id=project_id)


@NOUN.command("reads", example="pinecone-admin project exists search")
@argument("name", "Name or id of the project.", metavar="PROJECT")
def exists(call: Call, *, name: str) -> object:
    """Check whether a project exists; exit code 4 means no."""
    if is_id(name):
        return call.admin.projects.exists(project_id=name)
    return call.admin.projects.exists(name=name)


@NOUN.command("changes", example="pinecone-admin project create docs --yes", may_duplicate=True, facts_with=_WITH_CMEK)
@new_name("CreateProjectRequest", "Name of the project, 1 to 512 characters.")
@_max_pods
@_require_cmek
def create(
    call: Call, *, name: str, max_pods: int | None = None, force_encryption_with_cmek: bool | None = None
) -> object:
    """Create a project.

    If you see a project with this name, you are asked for the name, because this would create a second one. To use the
    one that exists, run project ensure.
    """
    return call.admin.projects.create(
        name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
    )


@NOUN.command("changes", example="pinecone-admin project ensure docs --yes", is_workflow=True, facts_with=_WITH_CMEK)
@new_name("CreateProjectRequest", "Exact name of the project, 1 to 512 characters.")
@_max_pods
@_require_cmek
@if_different
def ensure(
    call: Call,
    *,
    name: str,
    max_pods: int | None = None,
    force_encryption_with_cmek: bool | None = None,
    on_difference: OnDifference = "report",
) -> object:
    """Create a project, unless there is one with this name.

    Do not run two calls for the same name at the same time.
    """
    return call.admin.projects.ensure(
        name=name,
        max_pods=max_pods,
        force_encryption_with_cmek=force_encryption_with_cmek,
        on_difference=on_difference,
        dry_run=call.is_dry_run,
    )


@NOUN.command("changes", example="pinecone-admin project update search --name search-v2 --yes", facts_with=_WITH_CMEK)
@_own
@click.option("--name", type=NewName("UpdateProjectRequest"), help="New name, 1 to 512 characters.")
@click.option("--max-pods", type=Count(0), help="How many pods all indexes of the project may have.")
@_require_cmek
def update(
    call: Call,
    *,
    project_id: str,
    name: str | None = None,
    max_pods: int | None = None,
    force_encryption_with_cmek: bool | None = None,
) -> object:
    """Change the settings of a project."""
    return call.admin.projects.update(
        project_id=project_id, name=name, max_pods=max_pods, force_encryption_with_cmek=force_encryption_with_cmek
    )


def _find_keys(call: Call) -> list[str]:
    """Return what is deleted with a project, and in a dry run what it does not read, as sentences."""
    from pinecone_admin.cli.calls.confirmation import find_parts  # noqa: PLC0415 - loads the client

    assert call.own is not None  # noqa: S101 - the command is about a project that exists
    call.own = call.remember(call.names.describe(call.own))  # what is not there is missed by its own name
    read = partial(call.admin.api_keys.list, project_id=call.own.id)
    is_unread = call.is_dry_run and not call.command.makes_temporary_keys
    unread = (
        ["The contents were not read. If the project has more than API keys, the run is refused."] if is_unread else []
    )
    return [*find_parts(call, describe_resource("Project", call.own.name, None), {"API key": read}), *unread]


def _need_contents(context: click.Context, option: click.Parameter, value: object) -> object:
    if value and not context.params.get("with_contents"):
        raise click.UsageError(f"{option.opts[0]} is for --with-contents.", context)
    return value


@NOUN.command(
    "deletes",
    example="pinecone-admin project delete empty --yes",
    finds_more=_find_keys,
    rows_warning="The API keys of these projects are deleted, too.",
    facts_with={"with_contents": {"is_workflow": True, "confirms": True, "makes_temporary_keys": True}},
)
@_own
@click.option(
    "--with-contents",
    is_flag=True,
    is_eager=True,  # so that the others see it
    help="First delete everything in it, and wait until it is empty.",
)
@click.option(
    "--timeout",
    "time_limit",
    type=Duration(),
    callback=_need_contents,
    help="With --with-contents: how long to wait; default 10m.",
)
@click.option(
    "--lift-protection",
    is_flag=True,
    callback=_need_contents,
    help="With --with-contents: also delete indexes with deletion protection.",
)
def delete(
    call: Call,
    *,
    project_id: str,
    with_contents: bool,
    time_limit: timedelta = timedelta(minutes=10),
    lift_protection: bool = False,
) -> object:
    """Delete a project.

    If the project has API keys, they are deleted with it, and you are asked for the name of the project.

    --with-contents first deletes everything in the project, such as indexes, and always asks for the name. To see the
    contents, the command then creates a temporary API key and deletes it again. A dry run does this, too, so it asks
    first. Without --with-contents, a dry run does not see indexes, and the run is refused if there are any.
    """
    if not with_contents:
        try:
            call.admin.projects.delete(project_id=project_id)
        except FailedPreconditionError as error:
            error.add_note("to delete what the project contains first, add --with-contents")
            raise
        return None
    return call.admin.projects.delete_with_cleanup(
        project_id=project_id,
        dry_run=call.is_dry_run,
        time_limit=time_limit,
        lift_protection=lift_protection,
        progress=call.progress,
    )


@NOUN.command(
    "changes",
    example="pinecone-admin project provision acme --role DataPlaneEditor "
    "--grant user:ada@example.com:ProjectViewer --reveal --yes",
    makes=Secret("api-key", may_exist=True, nested=True),
    is_workflow=True,
)
@new_name(
    "CreateProjectRequest", "Name of the project, 1 to 512 characters. The first 80 characters are the name of the key."
)
@click.option(
    "--role", "key_roles", type=KEY_ROLE, multiple=True, required=True, help="A role of the key; can be repeated."
)
@click.option(
    "--grant",
    "bindings",
    type=ProjectGrant(),
    multiple=True,
    help="A role on the project; TYPE is user, service-account, api-key or invite; can be repeated.",
)
def provision(
    call: Call, *, name: str, key_roles: Sequence[APIKeyRole], bindings: Sequence[ProjectRoleDict] = ()
) -> object:
    """Set up a tenant: a project, roles on it, and an API key of the same name.

    Run it again after an interruption: it finds what is there. Do not run two calls for the same name at the same time.
    """
    return call.admin.projects.provision(
        name=name, key_roles=key_roles, store=call.store, bindings=bindings, dry_run=call.is_dry_run
    )


@NOUN.session_command(
    "reads",
    example="pinecone-admin project stale --match 'ci-*' --older-than 7d --yes",
    makes_plan=True,
    makes_temporary_keys=True,
)
@click.option("--match", "name_pattern", required=True, metavar="PATTERN", help="Names of projects, such as 'ci-*'.")
@click.option("--older-than", required=True, type=Duration(), help="Age above which a project is old, such as 7d.")
@out("Write the plan to a file, for apply.")
def stale(session: Session, *, name_pattern: str, older_than: timedelta, out: str | None = None) -> None:
    """Find old projects that tests left behind.

    Nothing is deleted: --out writes a plan, which you read and shorten, and apply carries out. Without --out, you only
    see what the plan would contain. To see what a project holds, a temporary API key is created in it and deleted
    again, so the command asks first.
    """
    from pinecone_admin.cli.plans.stale_projects import plan_deletion  # noqa: PLC0415 - loads the models

    plan_deletion(session, name_pattern=name_pattern, older_than=older_than, out=out)
