"""The commands ``export``, ``plan`` and ``apply``: an organization in a file."""

from __future__ import annotations

from typing import Any

import click

from pinecone_admin.cli.commands import ROOT, SETTING, argument, out, own_client_id, planned_client_id
from pinecone_admin.cli.parameters import Count, Secret
from pinecone_admin.cli.session import Session

_base = click.option(
    "--base",
    metavar="FILE",
    help="The file as last applied. What someone changed since by hand is then shown as drift.",
)


@ROOT.session_command("reads", topics=("organization-file",), example="pinecone-admin export")
@out("Write the file here, not to standard output.")
def export(session: Session, *, out: str | None = None) -> None:
    """Write the organization as a file for plan and apply.

    The file holds no secrets, and two exports of the same state are equal. Standard error names what a file cannot
    express, such as an expired invite.
    """
    from pinecone_admin.cli.plans.organization_file import export_organization  # noqa: PLC0415 - loads the models

    export_organization(session, out)


@ROOT.session_command("reads", topics=("organization-file",), example="pinecone-admin plan org.yaml", makes_plan=True)
@argument("file", "The organization file (help organization-file); - for standard input.", metavar="FILE")
@_base
@click.option("--inventory", metavar="FILE", help="Plan from a saved inventory, without credentials.")
@planned_client_id
@out("Write the plan to a file, for apply.")
@click.option("--markdown", metavar="FILE", help="Write the plan as text for a pull request.")
@click.option("--fail-on-change", is_flag=True, help="Exit with 8 instead of 0 if there are changes.")
@click.option("--unlisted", is_flag=True, help="List what the file does not mention, instead of counting it.")
def plan(session: Session, **options: Any) -> None:
    """Show what apply would do. Nothing is changed.

    What the file does not mention is counted last and never removed. An entry that does not fit the organization is
    left out, a warning names it, and the exit code is 9. If apply would refuse the plan, a warning shows why, and the
    exit code is 5.

    The account must be an OrgOwner, because a plan would create again what the account cannot see.
    """
    from pinecone_admin.cli.plans.organization_file import plan_file  # noqa: PLC0415 - loads the models

    plan_file(session, **options)


@ROOT.session_command(
    "changes",
    topics=("organization-file",),
    example="pinecone-admin apply org.yaml --store 'file:{scope}-{name}.key' --yes",
    makes=Secret("api-key", many=True),
    is_workflow=True,
)
@argument("file", "An organization file, or a saved plan of any kind; - for standard input.", metavar="FILE")
@_base
@click.option("--fix-drift", "drift", is_flag=True, help="Also undo what somebody changed by hand since --base.")
@click.option(
    "--confirm",
    **SETTING,
    type=Count(0),
    help="Go ahead, although up to N things are deleted or lose every role.",
)
@own_client_id
@out("Write the report to a file, also of an interrupted run or a dry run.")
def apply(session: Session, **options: Any) -> None:
    """Make the organization match a file, or carry out a plan.

    You see the steps and are asked first. For removals, you are asked for their number. A plan is refused if it would
    no longer do what it shows. Run the command again after a failure, with another --out: steps that are done are
    skipped. Do not run two calls for the same organization at the same time.
    """
    from pinecone_admin.cli.plans.organization_file import apply_file  # noqa: PLC0415 - loads the models

    apply_file(session, **options)
