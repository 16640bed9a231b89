"""Pages of help about topics that concern many commands; the first line of each is its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from pinecone_admin.cli.commands import describe_common_options
from pinecone_admin.cli.exit_codes import MEANINGS
from pinecone_admin.cli.help.explanations import FINDINGS
from pinecone_admin.cli.parameters import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.cli.variables import CI_VARIABLES, OTHER_VARIABLES, VARIABLES

_WIDTH = 80


_EXITS = "\n".join(
    fill(text, _WIDTH, initial_indent=f"  {code:<5}", subsequent_indent=" " * 7) for code, text in MEANINGS.items()
)
# A hyphen may be part of a command, which should be copied whole.
_FINDINGS = "\n".join(
    f"  {kind}\n"
    + fill(f"{meaning} {remedy}", _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False)
    for kind, (meaning, _, remedy) in FINDINGS.items()
)


def _describe(variables: Mapping[str, str]) -> str:
    indent = " " * 6
    texts = (fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent) for text in variables.values())
    return "\n".join(f"  {name}\n{text}" for name, text in zip(variables, texts, strict=True))


_VARIABLES, _OTHER_VARIABLES = _describe(VARIABLES), _describe(OTHER_VARIABLES)
_OPTIONS = _describe(dict(describe_common_options()))
_CI_VARIABLES = fill(", ".join(CI_VARIABLES), _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _list(names: Sequence[str]) -> str:
    return fill(", ".join(names), _WIDTH, initial_indent="  ", subsequent_indent="  ")


TOPICS: Mapping[str, str] = {
    "options": f"""\
The options that every command has.

They can stand before or behind the words of a command:

{_OPTIONS}

Commands that change something also have --yes and --dry-run. What they do, and
when a command needs --confirm: pinecone-admin help changes.
""",
    "roles": f"""\
The roles that exist, and how they are written.

A role on the organization is written alone. A role on a project is written
after the name or the id of the project:

  --role OrgMember --role search:ProjectEditor

Roles on the organization:

{_list(ORGANIZATION_ROLES)}

Roles on a project:

{_list(PROJECT_ROLES)}

Roles of an API key, which hold in its own project. They are written alone,
such as --role DataPlaneViewer:

{_list(API_KEY_ROLES)}

Everyone in the organization needs a role on it, such as OrgMember, beside roles
on projects. To see who has which role, use pinecone-admin role list or
pinecone-admin access.
""",
    "organization-file": """\
The file that plan and apply compare with the organization.

It is YAML or JSON. pinecone-admin export writes one for what exists. A whole
example:

  organization: Acme            # name or id; any other organization is refused
  projects:
  - name: search
    max_pods: 0                 # a setting that is left out is not managed
    api_keys:
    - {name: reader, roles: [DataPlaneViewer]}
    - {name: old-batch, absent: true}
  service_accounts:
  - {name: ci, roles: [OrgMember, "search:ProjectOwner"]}
  people:
  - {email: ada@example.com, roles: [OrgOwner]}
  - {email: eve@example.com, absent: true}
  - {email: bob@example.com, until: 2099-03-31, roles: [OrgMember]}

A section that is left out is not managed. What is listed gets exactly the roles
that it has in the file; with keep_other_roles: true it also keeps others.

Nothing is deleted because it is missing in the file. To delete an API key, a
service account or a person, give it absent: true, and leave the line there. No
file deletes a project.

After its until, a person, a service account or an API key counts as absent. A
role of a person or an account ends with {role: ROLE, until: DAY}. The day is
the last one, in UTC. Nothing ends unless you run apply on a later day.

A person without a membership is invited. An id beside another name renames.
Quote names such as "no", "1e3" or a date.
""",
    "exit-codes": f"""\
What the exit code of a command means.

Scripts can rely on these codes:

{_EXITS}

To see what to do, run pinecone-admin explain CODE, where CODE is the exit code,
or the code at the end of an error, such as PA205.
""",
    "output": """\
Formats, selecting a part, and what goes to which stream.

On a terminal the output is a table, elsewhere JSON. --output chooses another:

  table  For reading. If a terminal has no room for all of it, standard error
         says what is cut off or left out.
  json   For programs. With --output json, each line on standard error is JSON,
         too: an object with error, warning or note. Where you can be asked,
         only errors are JSON.
  yaml   As json, for reading and for files.
  csv    For spreadsheets.
  raw    One value on each line, for variables of a shell. Columns of a query
         are separated by tabs.

The columns of csv are the fields of json, in their order. A field of an object
within has the names of both, with a dot: organization.id. Words of a list are
separated by spaces, sentences by semicolons, and a list of objects is JSON.
Plans and reports on many things have columns of their own, one row for each
thing: inventory has kind, id, name and project_id; access has principal_type,
principal_id, principal, project_id, project, level and roles. An empty list has
no header.

--query selects a part with a JMESPath expression:

  pinecone-admin project list --query '[].name' --output raw
  pinecone-admin project list --query '[].[name, id]' --output csv

Standard output has data and nothing else. Progress, questions and warnings go
to standard error; progress is shown only on a terminal. NO_COLOR=1 turns
colours off.
""",
    "names": """\
How things and times are written.

You can use an exact name instead of an id, but not for --expect-organization,
and not in the path of send. Names are not unique. If several things have the
name, the command stops and lists their ids.

Roles: pinecone-admin help roles. A role that somebody has is written
TYPE:WHO:ROLE or TYPE:WHO:PROJECT:ROLE. The types are user, service-account,
api-key and invite:

  role revoke user:ada@example.com:search:ProjectViewer
  role revoke service-account:nightly:OrgMember

Times are a number and a unit: 90s, 90m, 12h, 7d, 2w.

The --body of send is JSON, @FILE to read it from a file, or - to read it from
standard input.
""",
    "secrets": """\
Where the values of API keys and the secrets of service accounts go.

A secret is shown only once, when it is created. A command that creates secrets
requires one of these options, except service-account rotate of the account that
the command uses, whose secret stays in the secret file of its profile:

  --store env-file:PATH#NAME  Sets NAME in a file of variables, and keeps the
                              other lines.
  --store file:PATH           Writes a file that only you can read.
  --store exec:COMMAND        Runs a command, which reads the secret from
                              standard input.
  --reveal                    Writes it to standard output.

--store is one template for all secrets of a command. In it, {kind} stands for
api-key or service-account, {project} for the name of the project, {scope} for
{project} of a key and {kind} of a service account, and {name} for the name of
the key or account: file:{scope}-{name}.key. In each, the columns of the row can
stand in it, too. {{ and }} are braces.

A name becomes one segment of a path, or a part of one word, which exec: takes
only without characters of the shell. If it cannot, or if two secrets have one
place, apply and each refuse everything before the first change, and rotate-due
leaves these keys as they are. Capitals do not count.

For a service account, the client id is stored, too: in a file of variables
under the same name with ID for SECRET, or else _ID behind it, in other files as
JSON. A command also gets API_KEY_ID, API_KEY_NAME and API_KEY_PROJECT_ID in its
environment, or SERVICE_ACCOUNT_ID, SERVICE_ACCOUNT_NAME and
SERVICE_ACCOUNT_CLIENT_ID.

Before anything is made, the command checks that the secret can be stored: the
folder exists, the disk has room, the command to run is there, nobody else can
read the file, and no other secret is in its place. A file of variables is
refused if programs could read it differently, for example one with an open
quote. The command writes the file under a lock, .NAME.pinecone-admin-lock
beside it, and reads the secret back. If another command holds the lock for ten
seconds, the exit code is 7, and nothing is made.

If storing fails all the same, the key is deleted (exit code 1, in rotate-due
9). What cannot be undone is kept in a file that the error names (exit code 9).
Ctrl-C while a secret is stored takes effect once the secret is in the report.

A command has stored the secret if it exits with 0 and leaves nothing on its
standard input unread within 2 seconds. One that only reads it, such as
exec:cat, cannot be told from one that stores it. Of what it writes on standard
error, the end is shown if it fails, unless a part of the secret is in it.

A rotation replaces the value in the file. No command can see whether that is
the old one. It refuses values that certainly are not: text that does not begin
as an API key does, or the client id of another service account.

If ensure, provision, apply or a rotation of keys was interrupted after it
stored a secret in a file, the same command finds it there and finishes; create
refuses to replace it, and service-account rotate replaces it. No command can
read back a secret that exec: stored, so these commands create a new one. To
repeat api-key rotate, give the id of the old key, because the name may be that
of the new one.

There is no option for a client secret, because other users can see command
lines: use variables, a profile, or --client-secret-stdin.
""",
    "changes": """\
Questions, dry runs and plans.

A command that changes the organization asks first, on a terminal; elsewhere it
needs --yes. PINECONE_ADMIN_NO_PROMPT=1 ends all questions. --dry-run shows what
would happen, and changes nothing. One exception: project delete PROJECT
--with-contents creates a temporary key, to read the contents. A dry run of
that command or of user offboard exits with 5 if the run would be refused. So
does user offboard --people.

You are asked for the name, and need --confirm NAME elsewhere, if more is lost
than you named:

  organization delete
  project delete (of a project that has API keys, or --with-contents)
  service-account delete, rotate (of the account that the command uses)
  role revoke, change (of a role of that account)
  send of a DELETE (the last segment of the path)

To delete many things with each, you are asked for the number of rows, and need
--confirm N elsewhere. N can be larger than the number, so that a second run
passes. If the command can see which account it uses, that one is not deleted in
this way. send does not check that. To delete many projects or people, you can
also save a plan, read it, and carry it out:

  pinecone-admin project stale --match 'ci-*' --older-than 7d --out plan.json
  pinecone-admin user offboard --people people.csv --out people.json
  pinecone-admin apply plan.json

A plan is for one organization. What has changed since the plan was made stays
as it is, and is listed.

To show what is in a project, project stale, api-key identify --project and a
dry run of project delete PROJECT --with-contents create a temporary API key in
each project that they read, and delete it again. Their first line shows this,
and they ask first, or need --yes.

If something is removed, apply asks for the number, and needs --confirm N
elsewhere. Again, N can be larger.

A file of --out, or of another option that writes one, must not exist yet, or
needs --overwrite. A plan that --overwrite replaces is deleted first, so that
nobody carries out the old one.

--read-only, or PINECONE_ADMIN_READ_ONLY=1, refuses every change of the
organization before it asks.
""",
    "identity": """\
Which account a command uses.

The command uses the first of these that is set:

  --profile NAME   A profile; pinecone-admin login saves one.
  --env-file PATH  Variables in a file. It must set the addresses that the
                   environment sets; without any, it goes to production.
  environment      PINECONE_ACCESS_TOKEN, or PINECONE_CLIENT_ID and
                   PINECONE_CLIENT_SECRET; or PINECONE_ADMIN_PROFILE, the name
                   of a profile. If both are set, the command stops. If a
                   variable is set but empty, or only a URL is set, the default
                   profile is ignored.
  default profile  The profile that profile use NAME has made the default.

pinecone-admin whoami shows which account that is, and pinecone-admin doctor
checks it.
""",
    "environment": f"""\
What the variables of the environment mean.

{_VARIABLES}

Other programs know these, too:

{_OTHER_VARIABLES}

An option comes before its variable. --env-file reads from a file the first six,
and those of the organization, read-only and the audit log. The last four of
these count from here, too: of organizations, all must name the same; of two
audit logs, the one that is set here is used. An address that is set here must
be in the file. The audit log has the values of these where they are set:

{_CI_VARIABLES}
""",
    "findings": f"""\
What access finds, and what to do about it.

{_FINDINGS}

--fail-on KIND,KIND exits with 8 if there is one of these kinds, and --fail-on
any for every kind.
""",
    "waivers": """\
How findings are accepted for a time.

access --waivers FILE reads a list in YAML. An entry accepts the findings of one
kind, or only those about one principal_id, project_id or key_id, for a reason,
until the end of a day, in UTC, by the clock of the server, or of this machine
with --inventory. A rotated key has another id, so that a waiver of its old
key_id covers it no longer. The ids are in the findings that --output json
writes:

  - kind: many-owners
    reason: The board, as agreed in October.
    until: 2027-01-31
  - kind: key-is-an-editor
    key_id: 2c139c19-66ad-41fd-9067-04c365d60b6e
    reason: The nightly import creates the index of the day.
    until: 2027-03-31

--fail-on passes over accepted findings. A waiver that has ended, or that
accepts nothing, is named.
""",
}


def summarize_topic(name: str) -> str:
    """Return the first line of a page."""
    return TOPICS[name].partition("\n")[0]
