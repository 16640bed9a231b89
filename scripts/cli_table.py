"""What the command line says about a method beyond its signature: effect, spellings, an example, plainer help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cli_report_table import REPORTS

from pinecone_admin.cli.registry import CommandSpec, Effect


class Row(NamedTuple):
    """What is written by hand about the command of one method.

    Attributes:
        effect: What it does to the organization.
        example: A command line, without the name of the program.
        summary: One sentence, where the docstring's first one speaks of Python.
        details: Further help.
        options: Spellings of options by arguments of the method, where they differ; empty makes it positional.
        helps: Help of options by arguments of the method, where the docstring speaks of Python.
        confirms: Whether the name must be typed.
        removes_own: Warning that is shown, and the name to be typed, if the command is about the account that it acts
            as; empty for none.
        makes_temporary_keys: Whether it makes API keys to read what projects contain, also where it changes nothing.
        optional: Arguments that the method requires and the command does not.
    """

    effect: Effect
    example: str
    summary: str = ""
    details: str = ""
    options: Mapping[str, str] = {}
    helps: Mapping[str, str] = {}
    confirms: bool = False
    removes_own: str = ""
    makes_temporary_keys: bool = False
    optional: tuple[str, ...] = ()


HELPS: Mapping[str, str] = {
    "concurrency": "How many requests may be under way at once.",
    "email": "Email address, at most 254 characters; capital letters do not matter.",
    "force_encryption_with_cmek": "Require an encryption key of your own, which cannot be undone.",
    "key_roles": "A role of the key; can be repeated.",
    "max_pods": "How many pods the indexes of the project may have together; 0 without the option.",
    "on_difference": "What to do if it exists with other settings; without the option, they are reported.",
    "revoke_unlisted": "Also revoke all other roles, after granting; only with --if-different update.",
    "role": "The role: alone for the organization, as PROJECT:ROLE for a project.",
    "role_bindings": "A role: alone for the organization, as PROJECT:ROLE for a project; can be repeated.",
    "roles": "A role of the key; can be repeated.",
}
"""Help of arguments, where the docstrings speak to programmers; a row may say more."""

SPELT = {"on_difference": "--if-different"}
BOUND = "Id of the role binding, or TYPE:WHO:ROLE, or TYPE:WHO:PROJECT:ROLE."
BINDING = (
    "A role binding is a role that somebody holds: user:ada@example.com:OrgMember is one on the organization, and "
    "user:ada@example.com:search:ProjectViewer on a project. The types are user, service-account, api-key and invite."
)
INVITED = "One of the roles must be on the organization, such as OrgMember."
STAGED = "Run it again after an interruption: it finds what is there. Run it from one process at a time."

TABLE: Mapping[str, Row] = {
    "organizations.list": Row("reads", "organization list"),
    "organizations.describe": Row("reads", "organization describe 'Emulated Organization'", "Show one organization."),
    "organizations.update": Row("changes", "organization update 'Emulated Organization' --name Acme --yes"),
    "organizations.delete": Row(
        "deletes",
        "organization delete 'Emulated Organization' --dry-run",
        confirms=True,
        details="It must be empty and on the Free plan.",
    ),
    "projects.list": Row("reads", "project list"),
    "projects.describe": Row("reads", "project describe search", "Show one project."),
    "projects.exists": Row(
        "reads",
        "project exists search",
        "Say whether a project exists; exit code 4 means no.",
        options={"project_id": ""},
    ),
    "projects.create": Row("changes", "project create docs --yes"),
    "projects.ensure": Row(
        "changes",
        "project ensure docs --yes",
        "Create a project, unless there is one with this name.",
        options=SPELT,
    ),
    "projects.update": Row(
        "changes",
        "project update search --name search-v2 --yes",
        "Change the settings of a project.",
        helps={"max_pods": "How many pods the indexes of the project may have together."},
    ),
    "projects.delete": Row("deletes", "project delete empty --yes"),
    "projects.delete_with_cleanup": Row(
        "deletes",
        "project delete-with-cleanup search --confirm search",
        details=(
            "To see what a project contains, a temporary API key is made in it, and deleted again; also by a dry run, "
            "which therefore asks."
        ),
        options={"time_limit": "--timeout"},
        helps={"time_limit": "How long to wait at most; 10m without the option."},
        confirms=True,
        makes_temporary_keys=True,
    ),
    "projects.provision": Row(
        "changes",
        "project provision acme --key-role DataPlaneEditor --grant user:ada@example.com:ProjectViewer --reveal --yes",
        "Set up a tenant: a project, roles on it, and an API key of the same name.",
        STAGED,
        options={"bindings": "--grant", "key_roles": "--key-role"},
        helps={
            "bindings": "A role on the project for somebody: user, service-account, api-key or invite; can be repeated."
        },
    ),
    "api_keys.list": Row(
        "reads",
        "api-key list --project search",
        "List the API keys of a project or of all projects, without their values.",
        "In a list of all projects, each key also has the name of its project.",
        helps={"project_id": "Name or id of the project; without the option, the keys of all projects are listed."},
        optional=("project_id",),
    ),
    "api_keys.describe": Row(
        "reads", "api-key describe reader --project search", "Show one API key, without its value."
    ),
    "api_keys.create": Row(
        "changes",
        "api-key create writer --project search --role DataPlaneEditor --store file:writer.key --yes",
        details="The value of the key is shown only now. Without a role, the key gets ProjectEditor.",
    ),
    "api_keys.ensure": Row(
        "changes",
        "api-key ensure writer --project search --reveal --yes",
        "Create an API key, unless the project has one with this name.",
        f"{STAGED} The value of a key that exists already cannot be shown.",
        options=SPELT,
    ),
    "api_keys.update": Row(
        "changes",
        "api-key update reader --project search --name viewer --yes",
        "Change the name or the roles of an API key.",
        helps={"roles": "A role that the key will have, in place of its present ones; can be repeated."},
    ),
    "api_keys.delete": Row("deletes", "api-key delete reader --project search --yes"),
    "api_keys.rotate": Row(
        "changes",
        "api-key rotate reader --project search --keep-old-for 7d --store env-file:.env#PINECONE_API_KEY --yes",
        details=(
            "The old key works until the time is over and api-key delete-retired has run. If the run does not end with "
            "0, run it again with the id of the old key: it goes on. With the name, it may rotate the new key, too."
        ),
        helps={"keep_old_for": "How long the old key still works, such as 7d; 0 if it has leaked."},
    ),
    "api_keys.delete_retired": Row(
        "deletes",
        "api-key delete-retired --project search --yes",
        "Delete the old keys that rotations have kept and that are due.",
        helps={"project_id": "Only in this project; without the option, in all."},
    ),
    "users.list": Row(
        "reads", "user list", "List the users of the organization.", helps={"email": "Only the user with this address."}
    ),
    "users.describe": Row("reads", "user describe ada@example.com", "Show one user."),
    "users.delete": Row("deletes", "user delete ada@example.com --yes"),
    "invites.list": Row("reads", "invite list", "List the pending and expired invites."),
    "invites.describe": Row("reads", "invite describe bob@example.com", "Show one invite."),
    "invites.create": Row(
        "changes",
        "invite create eve@example.com --role OrgMember --role search:ProjectViewer --yes",
        details=INVITED,
    ),
    "invites.ensure": Row(
        "changes",
        "invite ensure eve@example.com --role OrgMember --yes",
        "Invite a person, unless an invite for the address is pending.",
        INVITED,
        options=SPELT,
    ),
    "invites.delete": Row("deletes", "invite delete bob@example.com --yes"),
    "invites.resend": Row("changes", "invite resend bob@example.com --yes"),
    "service_accounts.list": Row("reads", "service-account list", "List the service accounts of the organization."),
    "service_accounts.describe": Row(
        "reads", "service-account describe ci", "Show one service account, without its secret."
    ),
    "service_accounts.create": Row(
        "changes",
        "service-account create deploy --role OrgMember --role search:ProjectEditor --reveal --yes",
    ),
    "service_accounts.ensure": Row(
        "changes",
        "service-account ensure deploy --role OrgMember --reveal --yes",
        "Create a service account, unless there is one with this name.",
        STAGED,
        options=SPELT,
    ),
    "service_accounts.update": Row("changes", "service-account update ci --name ci-2 --yes"),
    "service_accounts.delete": Row(
        "deletes",
        "service-account delete ci --yes",
        removes_own="this deletes the account that the command itself acts as",
        details="If the command can see that it acts as this account, it needs --confirm NAME, or NAME typed. It "
        "cannot see that if it has an access token from elsewhere.",
    ),
    "service_accounts.rotate_secret": Row(
        "changes",
        "service-account rotate-secret ci --store env-file:.env#PINECONE_CLIENT_SECRET --yes",
        "Replace the secret of a service account.",
        details="The old secret stops working at once. If the response is lost, the secret is replaced again.",
    ),
    "role_bindings.list": Row(
        "reads",
        "role-binding list --user ada@example.com",
        "List who holds which role.",
        helps={"role": "Only this role."},
    ),
    "role_bindings.describe": Row(
        "reads",
        "role-binding describe b2d650af-313b-42b7-9836-31890063e42f",
        "Show one role binding.",
        BINDING,
        helps={"role_binding_id": BOUND},
    ),
    "role_bindings.create": Row(
        "changes",
        "role-binding create --user ada@example.com --role search:ProjectEditor --yes",
        "Grant a role.",
    ),
    "role_bindings.ensure": Row(
        "changes",
        "role-binding ensure --user ada@example.com --role search:ProjectEditor --yes",
        "Grant a role, unless it is held already.",
    ),
    "role_bindings.delete": Row(
        "deletes",
        "role-binding delete user:ada@example.com:search:ProjectViewer --yes",
        "Revoke a role.",
        BINDING + " To give another role in place of one, use role-binding change-role.\n\n"
        "If the command can see that it acts as the account that has the role, it needs --confirm NAME, or NAME typed, "
        "where NAME is the role binding in this form.",
        removes_own="this revokes a role of the account that the command itself acts as",
        helps={"role_binding_id": BOUND},
    ),
    "role_bindings.change_role": Row(
        "changes",
        "role-binding change-role --user ada@example.com --from search:ProjectViewer --to ProjectEditor --yes",
        "Replace a role: grant the new one, then revoke the old one.",
        "If the command can see that it acts as the account that has the role, it needs --confirm NAME, or NAME typed, "
        "where NAME is the account as --service-account gives it.",
        removes_own="this revokes a role of the account that the command itself acts as",
        options={"from_role": "--from", "to_role": "--to"},
        helps={"from_role": "The present role: alone for the organization, as PROJECT:ROLE for a project."},
    ),
}

COVERED = {
    "projects.describe_by_name": "project describe",
    "api_keys.describe_by_name": "api-key describe",
    "users.describe_by_email": "user describe",
    "invites.describe_by_email": "invite describe",
    "service_accounts.describe_by_name": "service-account describe",
    "service_accounts.rotate": "service-account rotate-secret",
}
"""Methods without a command of their own, by the command that does the same."""

HAND_WRITTEN: tuple[CommandSpec, ...] = (
    CommandSpec(
        path=("whoami",),
        effect="reads",
        summary="Show as whom commands act: account, organization, roles, and until when the token is valid.",
        example="pinecone-admin whoami",
        details="What the account may not see of itself is shown as unknown.",
        module="pinecone_admin.cli.identity.whoami",
    ),
    CommandSpec(
        path=("doctor",),
        effect="reads",
        summary="Check variables, network, clock, credentials and roles, and say how to fix what fails.",
        example="pinecone-admin doctor",
        details="It ends with exit code 1 if a check fails.",
        module="pinecone_admin.cli.doctor.doctor",
    ),
    CommandSpec(
        path=("token",),
        effect="reads",
        summary="Show an access token, for use in other tools.",
        example="pinecone-admin token --reveal --output raw",
        module="pinecone_admin.cli.identity.token",
    ),
    CommandSpec(
        path=("profile", "add"),
        effect="reads",
        summary="Save a profile: who commands act as, without the secret.",
        example=(
            "pinecone-admin profile add staging --client-id ExampleExampleExampleExample0001 "
            "--secret-command 'op read op://staging/pinecone/secret'"
        ),
        details="The secret is what --secret-command prints, or is piped to --client-secret-stdin.",
        module="pinecone_admin.cli.profiles.profile_add",
    ),
    CommandSpec(
        path=("profile", "list"),
        effect="reads",
        summary="List the saved profiles.",
        example="pinecone-admin profile list",
        module="pinecone_admin.cli.profiles.profile_list",
    ),
    CommandSpec(
        path=("profile", "remove"),
        effect="reads",
        summary="Remove a saved profile.",
        example="pinecone-admin profile remove production",
        module="pinecone_admin.cli.profiles.profile_remove",
    ),
    *REPORTS,
)
"""Commands that are implemented by modules of their own."""
