"""Service accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pinecone_admin.cli.commands import (
    Noun,
    argument,
    if_different,
    limit,
    new_name,
    own_client_id,
    revoke_others,
    roles,
)
from pinecone_admin.cli.parameters import Duration, NameOrId, NewName, Secret

if TYPE_CHECKING:
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.models import RoleBindingInput
    from pinecone_admin.workflows import OnDifference

NOUN = Noun("service-account")

_own = argument(
    "service_account_id",
    "Name or id of the service account.",
    type=NameOrId("service-account"),
    metavar="SERVICE-ACCOUNT",
)


@NOUN.command("reads", example="pinecone-admin service-account list")
@limit
def list_(call: Call) -> object:
    """List the service accounts of the organization."""
    return call.admin.service_accounts.list(limit=call.page_size)


@NOUN.command("reads", example="pinecone-admin service-account describe ci")
@_own
def describe(call: Call, *, service_account_id: str) -> object:
    """Show one service account, without its secret."""
    return call.admin.service_accounts.describe(service_account_id=service_account_id)


@NOUN.command(
    "changes",
    example="pinecone-admin service-account create deploy --role OrgMember --role search:ProjectEditor --reveal --yes",
    makes=Secret("service-account"),
    may_duplicate=True,
)
@new_name("CreateServiceAccountRequest", "Name of the account, 1 to 80 UTF-8 bytes.")
@roles()
def create(call: Call, *, name: str, role_bindings: Sequence[RoleBindingInput] | None = None) -> object:
    """Create a service account.

    If there is an account with this name, you are asked for the name, because this would create a second one. To use
    the one that exists, run service-account ensure.
    """
    return call.admin.service_accounts.create(name=name, role_bindings=role_bindings)


@NOUN.command(
    "changes",
    example="pinecone-admin service-account ensure deploy --role OrgMember --reveal --yes",
    makes=Secret("service-account", may_exist=True),
    is_workflow=True,
)
@new_name("CreateServiceAccountRequest", "Exact name of the account, 1 to 80 UTF-8 bytes.")
@roles()
@if_different
@revoke_others()
@own_client_id
def ensure(
    call: Call,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput] | None = None,
    on_difference: OnDifference = "report",
    revoke_unlisted: bool = False,
) -> object:
    """Create a service account, unless there is one with this name.

    Run it again after an interruption: it finds what is there. Do not run two calls for the same name at the same time.
    """
    return call.admin.service_accounts.ensure(
        name=name,
        role_bindings=role_bindings,
        store=call.store,
        on_difference=on_difference,
        revoke_unlisted=revoke_unlisted,
        client_id=call.session.client_id,
        dry_run=call.is_dry_run,
    )


@NOUN.command("changes", example="pinecone-admin service-account update ci --name ci-2 --yes")
@_own
@click.option("--name", type=NewName("UpdateServiceAccountRequest"), help="New name, 1 to 80 UTF-8 bytes.")
def update(call: Call, *, service_account_id: str, name: str | None = None) -> object:
    """Rename a service account."""
    return call.admin.service_accounts.update(service_account_id=service_account_id, name=name)


@NOUN.command(
    "deletes",
    example="pinecone-admin service-account delete ci --yes",
    consequence="What uses the account loses access within seconds.",
    own_warning="This is the account you are using. Its credentials will stop working.",
)
@_own
@own_client_id
def delete(call: Call, *, service_account_id: str) -> None:
    """Delete a service account. Its tokens stop working within seconds.

    For the account you are using, you are asked for its name.
    """
    call.admin.service_accounts.delete(service_account_id=service_account_id)


@NOUN.command(
    "changes",
    example="pinecone-admin service-account rotate ci --store env-file:.env#PINECONE_CLIENT_SECRET --yes",
    makes=Secret("service-account", replaces=True),
    consequence="The old secret stops working within seconds.",
    own_warning="This is the account you are using.",
)
@_own
@own_client_id
def rotate(call: Call, *, service_account_id: str) -> object:
    """Replace the secret of a service account.

    The old one stops working within seconds, so store the new one where its programs read it. Do not run two calls for
    the same name at the same time.

    For the account you are using, you are asked for its name. Leave out --store: the new secret replaces the one in the
    secret file of your profile, and is tried. If its secret is anywhere else, the command is refused.
    """
    return call.admin.service_accounts.rotate(
        service_account_id=service_account_id,
        store=call.store,
        client_id=call.session.client_id,
        allow_own=call.concerns_caller,  # then the command has asked for its name
    )


def _need_age(context: click.Context, option: click.Parameter, value: timedelta | None) -> timedelta | None:
    if value is None and not context.params.get("names"):
        raise click.UsageError(f"Which secrets are to be rotated? Add {option.opts[0]}, or --name.", context)
    return value


@NOUN.command(
    "changes",
    example="pinecone-admin service-account rotate-due --older-than 90d --store 'file:{scope}-{name}.json' --yes",
    makes=Secret("service-account", replaces=True, many=True),
    consequence="The old secrets stop working within seconds.",
    is_workflow=True,
    lists_planned=True,
)
@click.option(
    "--older-than",
    type=Duration(),
    callback=_need_age,
    help="Age above which a secret is rotated, such as 90d; needed without --name.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    is_eager=True,  # so that --older-than sees it
    metavar="NAME",
    help="Rotate only this account, even if its secret is younger; can be repeated.",
)
@own_client_id
@click.option(
    "--allow-unreadable",
    is_flag=True,
    help="Let --store be exec:, whose secrets cannot be read back. The old secret stops working even if the command "
    "stores the new one in the wrong place.",
)
def rotate_due(
    call: Call,
    *,
    older_than: timedelta | None = None,
    names: Sequence[str] | None = None,
    allow_unreadable: bool = False,
) -> object:
    """Rotate the old secrets of service accounts.

    An old secret stops working within seconds. So each destination must already contain the present credentials of its
    account, and these are tried first. The account you are using is never rotated; if it is due, the exit code is 9.
    The command stops at the first new secret that it may have failed to store.

    Do not run two calls for the same organization at the same time.
    """
    from pinecone_admin._sync.workflows.rotate_due_accounts import rotate_due_accounts  # noqa: PLC0415 - a help needs no models
    from pinecone_admin._sync.workflows.run import open_run  # noqa: PLC0415 - as above

    has_no_destination = call.is_dry_run and (call.destination is None or not call.destination.is_given)
    with open_run(call.admin, "rotate_due_service_accounts", dry_run=call.is_dry_run) as run:
        return rotate_due_accounts(
            run,
            older_than=older_than,
            store=call.store,
            names=names,
            client_id=call.session.client_id,
            allow_unreadable=allow_unreadable or has_no_destination,
            begin=call.begun.append,
        )
