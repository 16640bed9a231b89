"""The commands ``export``, ``plan`` and ``apply``: an organization in a file."""

from __future__ import annotations

from typing import Any

import click

from pinecone_admin.cli.commands import ROOT, SETTING, apply_as, argument, out
from pinecone_admin.cli.parameters import Count, Secret
from pinecone_admin.cli.session import Session

_base = click.option(
    "--base",
    metavar="FILE",
    help="The file as last applied. What someone changed since by hand is then shown as drift.",
)


@ROOT.by_hand("reads", topics=("organization-file",), example="pinecone-admin export")
@out("Write the file here instead of to standard output.")
def export(session: Session, *, out: str | None = None) -> None:
    """Write the organization as a file for plan and apply: YAML, sorted, the same between runs.

    It has no secrets. What a file cannot express, such as an expired invite, is said on stderr.
    """
    from pinecone_admin.cli.plans.organization_file import export_organization  # noqa: PLC0415 - loads the models

    export_organization(session, out)


@ROOT.by_hand("reads", topics=("organization-file",), example="pinecone-admin plan org.yaml")
@argument("file", "What the organization should be, as YAML or JSON; - for standard input.", metavar="FILE")
@_base
@click.option("--inventory", metavar="FILE", help="Plan from an inventory that was saved before, without credentials.")
@apply_as
@out("Write the plan to a file, for apply.")
@click.option("--markdown", metavar="FILE", help="Write the plan for the comment of a pull request, to a new file.")
@click.option("--fail-on-change", is_flag=True, help="Exit with 8 if there are changes.")
@click.option("--unlisted", is_flag=True, help="Name what exists and is not in the file, not only count it.")
def plan(session: Session, **options: Any) -> None:
    """Show what apply would do. Nothing is changed.

    What exists and is not in the file is counted at the end, and never removed. If apply would refuse the plan, a
    warning and refusals in JSON say why, and the exit code stays 0, or 8 with --fail-on-change. If an item of the file
    does not fit the organization, it is left out and named, and the exit code is 9. The account must be an OrgOwner,
    since what it does not see would be made again: if it is not, the exit code is 10.
    """
    from pinecone_admin.cli.plans.organization_file import plan_file  # noqa: PLC0415 - loads the models

    plan_file(session, **options)


@ROOT.by_hand(
    "changes",
    topics=("organization-file",),
    example="pinecone-admin apply org.yaml --store 'file:{project}-{name}.key' --yes",
    makes=Secret("api-key", many=True),
    is_workflow=True,
)
@argument("file", "An organization file, or a saved plan of any kind; - for standard input.", metavar="FILE")
@_base
@click.option("--fix-drift", "drift", is_flag=True, help="Also carry out drift: undo what was changed in the console.")
@click.option(
    "--confirm",
    **SETTING,
    type=Count(0),
    help="Go ahead, although N are deleted or lose every role; N is what you would have to type.",
)
@apply_as
@out("Write what was done to a file, also if the run is interrupted.")
def apply(session: Session, **options: Any) -> None:
    """Make the organization match a file, or carry out a saved plan.

    You see the changes and are asked first; if something is removed, for the number. A plan is refused if a change no
    longer fits, or an end (until) has come since. Finished changes are skipped. Ends in --base need no number.
    After a failure, run it again with another --out. Do not run two calls for the same organization at the same time.
    """
    from pinecone_admin.cli.plans.organization_file import apply_file  # noqa: PLC0415 - loads the models

    apply_file(session, **options)
