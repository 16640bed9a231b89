"""Pages of help about topics that concern many commands; the first line of each is its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from pinecone_admin.cli.commands import describe_common_options
from pinecone_admin.cli.exit_codes import MEANINGS
from pinecone_admin.cli.help.explanations import FINDINGS
from pinecone_admin.cli.parameters import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES
from pinecone_admin.cli.variables import CI_VARIABLES, OTHER_VARIABLES, SET_VARIABLES, VARIABLES

_WIDTH = 80


def _fill(text: str, first: str = "", rest: str | None = None) -> str:
    """Return a text in lines with these indents; a hyphen may be part of a command, which should be copied whole."""
    rest = first if rest is None else rest
    return fill(text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


_EXITS = "\n".join(_fill(text, f"  {code:<5}", " " * 7) for code, text in MEANINGS.items())
_FINDINGS = "\n".join(
    f"  {kind}\n" + _fill(f"{meaning} {remedy}", " " * 6) for kind, (meaning, _, remedy) in FINDINGS.items()
)


def _describe(variables: Mapping[str, str]) -> str:
    texts = (_fill(text, " " * 6) for text in variables.values())
    return "\n".join(f"  {name}\n{text}" for name, text in zip(variables, texts, strict=True))


_VARIABLES, _OTHER_VARIABLES = _describe(VARIABLES), _describe(OTHER_VARIABLES)
_OPTIONS = _describe(dict(describe_common_options()))
_SET_VARIABLES = _fill(f"Set for other programs, and not read: {', '.join(SET_VARIABLES)}.")
_CI_VARIABLES = _fill(", ".join(CI_VARIABLES), "  ")


def _list(names: Sequence[str]) -> str:
    return _fill(", ".join(names), "  ")


TOPICS: Mapping[str, str] = {
    "options": f"""\
The options that every command has.

They can stand before or after the name of a command:

{_OPTIONS}

If a name begins with a dash, write it after --, so that it is not taken for an
option:

  project create --yes -- -name

Commands that change something also have --yes and --dry-run (pinecone-admin
help changes). Some need --confirm (pinecone-admin help confirm).
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

Everyone in the organization needs a role on it, such as OrgMember, and can have
roles on projects as well. To see who has which role, use pinecone-admin role
list or pinecone-admin access.
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

A section that is left out is not managed. A person, an account or a key that is
listed gets exactly the roles in the file. With keep_other_roles: true, it also
keeps its other roles.

Nothing is deleted because it is missing in the file. To delete an API key, a
service account or a person, give it absent: true, and leave the line there.
With the key, apply deletes the old keys that it replaced. No file deletes a
project.

After the day in until, a person, a service account or an API key counts as
absent. To end one role of a person or an account, write {role: ROLE, until:
DAY}. The day is the last one, in UTC. Nothing ends unless you run apply on a
later day.

A person who is not a member is invited. To rename something, write its id and
the new name. Quote names such as "no", "1e3" or a date.
""",
    "exit-codes": f"""\
What the exit code of a command means.

Scripts can rely on these codes:

{_EXITS}

pinecone-admin explain CODE shows what to do. CODE is the exit code, or the code
of an error, such as PA205.
""",
    "output": """\
Formats, selecting a part, and what goes to which stream.

On a terminal the output is a table, elsewhere JSON. --output chooses another:

  table  For reading. If a terminal has no room for all of it, standard error
         shows what is cut off or left out.
  json   For programs. With --output json, each line on standard error is JSON,
         too: an object with error, warning or note. On a terminal, only errors
         are JSON.
  yaml   The same as json, easier to read.
  csv    For spreadsheets (pinecone-admin help csv).
  raw    One value on each line, for variables of a shell. Columns of a query
         are separated by tabs.

table, csv and raw escape control characters, such as a line break in a name. To
get such a value unchanged, use json or yaml.

--query selects a part with a JMESPath expression:

  pinecone-admin project list --query '[].name' --output raw
  pinecone-admin project list --query '[].[name, id]' --output csv

With --out FILE, standard output shows what it shows without it. Only export
writes to one of the two.

Standard output has data and nothing else. Progress, questions and warnings go
to standard error; progress is shown only on a terminal. NO_COLOR=1 turns
colours and bold text off.
""",
    "csv": """\
What --output csv writes.

The columns are the fields of json, in their order. A field inside an object has
both names, with a dot: organization.id. In a cell, words of a list are
separated by spaces and sentences by semicolons. A list of objects is JSON. An
empty list has no header.

These have a row for each thing: lists, inventory, access, project stale, and
user offboard --people. Other reports are one row. A plan of an organization
file has no columns, so -o csv is refused.

inventory has kind, id, name and project_id. access has principal_type,
principal_id, principal, project_id, project, level and roles.

Control characters are escaped. A quote (') stands before text that begins with
=, +, - or @, because a spreadsheet would take it for a formula. To get names
unchanged, use --output json.
""",
    "names": """\
How things and times are written.

You can use an exact name instead of an id, except for --expect-organization and
in the path of send. Names are not unique. If several things have the name, the
command stops and lists their ids.

How roles are written: pinecone-admin help roles. A role that somebody has is
written TYPE:WHO:ROLE, or TYPE:WHO:PROJECT:ROLE for a role on a project. The
types are user, service-account, api-key and invite:

  role revoke user:ada@example.com:search:ProjectViewer
  role revoke service-account:nightly:OrgMember

Write a time as a number with a unit: 90s, 90m, 12h, 7d or 2w.

The --body of send is JSON. @FILE reads it from a file, and - from standard
input.
""",
    "secrets": """\
Where API keys and the secrets of service accounts go.

A secret is shown only once, when it is created. So a command that creates
secrets requires one of these options:

  --store env-file:PATH#NAME  Sets NAME in a file of variables, and keeps the
                              other lines.
  --store file:PATH           Writes a file that only you can read.
  --store exec:COMMAND        Runs a command, which reads the secret from
                              standard input (pinecone-admin help exec).
  --reveal                    Writes the secret to standard output.

If you rotate the secret of the account you are using, leave out --store and
--reveal. The secret file of its profile then gets the new secret.

--store is one template for all secrets of a command:

  {name}     The name of the API key or the service account.
  {project}  The name of the project; a service account has none.
  {kind}     The word api-key or service-account.
  {scope}    {project} of a key, and {kind} of a service account.
  {{ and }}  Braces.

For example: --store 'file:{scope}-{name}.key'. In the rows of the command each,
the template can also contain {COLUMN}.

Every secret needs a destination of its own, and capitals do not make a
difference. A name that contains a slash is refused.

The client id of a service account is stored, too. In a file of variables, its
name is NAME with ID in place of SECRET, or else NAME_ID. Other destinations get
both as JSON.

What happens if a secret cannot be stored: pinecone-admin help storing.
""",
    "storing": """\
How a secret is stored, and what happens if that fails.

Before a secret is created, the command checks its destination. The folder must
exist, the disk must have room, and nobody else may read the file. The file must
not contain another secret. A file of variables is refused if programs could
read it differently. The commands apply and each check all destinations before
the first change.

The command writes the file under a lock, .NAME.pinecone-admin-lock beside it,
and reads the secret back. If another command holds the lock for ten seconds,
nothing is created. The exit code is 7, or 9 for rotate-due.

If a new secret cannot be stored, its key is deleted. Usually, the exit code is
1, or 9 for rotate-due. If the key cannot be deleted, or the change cannot be
undone, the secret goes to a file that the error names, and the exit code is 9,
or 6 if the key may have been deleted.

A rotation replaces the value at the destination, and cannot check that it is
the old one. It refuses text that does not begin as an API key does, and
credentials with the client id of another service account.

Ctrl-C takes effect after a secret was stored. For that, exec: has 5 s. If a
command was interrupted, run it again. ensure, provision, apply and rotations of
keys find the secret in the file and finish. create refuses to replace it, and
service-account rotate replaces it.
""",
    "exec": """\
How a command of --store exec:COMMAND gets a secret.

COMMAND reads the secret from standard input. For a service account, it reads
JSON with the client id and the client secret. It also gets variables:

  API_KEY_ID, API_KEY_NAME, API_KEY_PROJECT_ID
  SERVICE_ACCOUNT_ID, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_CLIENT_ID

COMMAND has stored the secret if it reads its whole standard input and exits
with 0. Test it first, because exec:cat does the same and stores nothing. If it
fails, the end of its standard error is shown, unless that contains a part of
the secret.

COMMAND is a template, as in pinecone-admin help secrets. A name in it may
contain only letters, digits and the characters . _ - @ and +. Two of them are
two destinations if their words differ.

Ctrl-C on a terminal also reaches COMMAND. If it then ends without having stored
the secret, storing has failed.

No command can read back a secret that exec: stored. So if you run an
interrupted ensure, provision, apply or rotation again, it creates a new secret.
""",
    "changes": """\
Questions and dry runs.

On a terminal, a command that changes the organization asks first. Elsewhere it
needs --yes. Where that is not enough, it needs --confirm instead:
pinecone-admin help confirm. PINECONE_ADMIN_NO_PROMPT=1 ends all questions.

On a terminal, a command also asks for a missing value. It asks nothing if you
must choose between options, such as --store and --reveal: it names them.

--dry-run shows what would happen, and changes nothing, with one exception: to
read the contents, project delete PROJECT --with-contents creates and deletes
temporary keys. If the run would be refused, a dry run exits with 5 too, as far
as it can read the reason. It does not look at your roles, the plan and the
quotas. A dry run of project delete reads the contents only with
--with-contents. A dry run of each does not know what the rows before a row
would change.

Some commands create a temporary API key in each project that they read, and
delete it again: project stale, api-key identify --project, and a dry run of
project delete PROJECT --with-contents. They also delete overdue temporary keys
of earlier runs in these projects. They show this and ask first, or need --yes,
if there is a project to read. apply creates such keys, too, if it deletes the
projects of a plan.

--read-only, or PINECONE_ADMIN_READ_ONLY=1, refuses every command that can
change the organization or create temporary keys, also if there would be nothing
to do. Other dry runs work.
""",
    "confirm": """\
When a command asks for a name or a number.

If a command would delete more than the thing that you named, such as the keys
of a project, or create a second thing of one name, you must type the name of
the thing. Without a terminal, the command needs --confirm NAME. These commands
do so:

  project create, api-key create, service-account create (of a name that exists)
  organization delete
  project delete (of a project that has API keys, or --with-contents)
  service-account delete, rotate (of the account you are using)
  role revoke, change (of a role of that account)
  role revoke (of the only role of a user)
  send of a DELETE (the last part of the path)

If the command each runs a command that deletes things, you must type the number
of rows. Without a terminal, it needs --confirm N. N can be larger than the
number, so that a second run passes. No row deletes the account you are using,
if the command can see which account that is. With send, it does not check this.

If apply deletes things or removes people, you must type their number. Without a
terminal, it needs --confirm N, and N can be larger.
""",
    "plans": """\
How to save a plan, read it, and carry it out.

To delete many projects or people, save a plan and read it. Remove from it what
must stay. Then carry it out:

  pinecone-admin project stale --match 'ci-*' --older-than 7d --out plan.json
  pinecone-admin user offboard --people people.csv --out people.json
  pinecone-admin apply plan.json

A plan is for one organization. Things that have changed since the plan was made
stay as they are, and are listed. If something is removed, apply asks for the
number (pinecone-admin help confirm).

pinecone-admin plan saves a plan of an organization file. apply refuses that
plan if it would no longer do what it shows.

A file that an option writes, such as --out, must not exist yet. --overwrite
replaces it. With --overwrite, the command deletes an old plan before it makes
the new one, so that nobody carries out the old one if the command fails.
""",
    "identity": """\
Which account a command uses.

The command uses the first of these that is set:

  --profile NAME   A profile; pinecone-admin login saves one.
  --env-file PATH  Variables in a file. If the file sets no URL, the command
                   uses production. If the environment sets a URL, the file
                   must set that variable, too.
  environment      PINECONE_ACCESS_TOKEN, or PINECONE_CLIENT_ID and
                   PINECONE_CLIENT_SECRET; or PINECONE_ADMIN_PROFILE, the name
                   of a profile. If PINECONE_ADMIN_PROFILE is set beside one of
                   the others or a URL, the command stops.
  default profile  The profile that profile use NAME has made the default.

If a variable of the environment that holds a credential or a URL is set, even
to an empty value, the default profile is not used. The command then stops if
one of these variables is empty, or if credentials are missing. With an access
token, an empty client id or client secret is ignored. An empty
PINECONE_ADMIN_PROFILE counts as not set.

A file of --env-file contains credentials, URLs and PINECONE_ADMIN_ALLOW_HTTP.
It can also set PINECONE_ADMIN_EXPECT_ORGANIZATION, PINECONE_ADMIN_READ_ONLY and
PINECONE_ADMIN_AUDIT_LOG. In the environment, these three and
PINECONE_ADMIN_ALLOW_HTTP still have an effect. If both set the organization, it
must be the same. If both set the audit log, the command uses that of the
environment.

No option takes your client secret, because other users can see command lines.
Use variables, a profile, or --client-secret-stdin.

pinecone-admin whoami shows which account that is, and pinecone-admin doctor
checks it.
""",
    "environment": f"""\
What the variables of the environment mean.

{_VARIABLES}

{_SET_VARIABLES}

Other programs know these, too:

{_OTHER_VARIABLES}

An option comes before its variable. Two expected organizations must be equal.

Which of these can stand in an --env-file: pinecone-admin help identity.

The audit log contains these variables if they are set:

{_CI_VARIABLES}
""",
    "emulator-control": """\
How to change an emulator: its faults, clock and contents.

A served emulator has routes of its own, below /_emulator. For example, these
lose the response to the next create_project, put the clock forward by a week,
add a user, and add an index to a project:

  pinecone-admin send POST /_emulator/faults --yes \\
    --body '{"operation": "create_project", "drop": "after"}'
  pinecone-admin send POST /_emulator/clock/advance --yes \\
    --body '{"seconds": 604800}'
  pinecone-admin send POST /_emulator/users --yes \\
    --body '{"email": "eve@example.com", "roles": ["OrgMember"]}'
  pinecone-admin send PUT /_emulator/projects/ID/indexes/movies --yes \\
    --body '{"protected": true}'

pinecone-admin send GET /_emulator lists all routes, an example for each body,
and the names of the operations that a fault can have.

A fault answers with an error ("status": 503), waits ("delay": 2), or drops the
connection before or after the change ("drop": "before"). "times" is how often;
by default, once.
""",
    "findings": f"""\
What access finds, and what to do about it.

{_FINDINGS}

--fail-on KIND,KIND exits with 8 if there is one of these kinds, and --fail-on
any for every kind. If the report lacks parts, the exit code is 9.
""",
    "waivers": """\
How findings are accepted for a time.

access --waivers FILE reads a list in YAML. An entry accepts the findings of one
kind, for a reason, until the end of a day in UTC. With principal_id, project_id
or key_id, it accepts only the findings about that. The ids are in the findings
of --output json. A rotated key has another id, so a waiver of its old id no
longer covers it. The day is that of the server, or with --inventory that of
this machine. For example:

  - kind: many-owners
    reason: The board, as agreed in October.
    until: 2027-01-31
  - kind: key-has-project-editor
    key_id: 2c139c19-66ad-41fd-9067-04c365d60b6e
    reason: The nightly import creates the index of the day.
    until: 2027-03-31

--fail-on ignores accepted findings. A warning names each waiver that has ended
or that accepts nothing.
""",
}


def summarize_topic(name: str) -> str:
    """Return the first line of a page."""
    return TOPICS[name].partition("\n")[0]
