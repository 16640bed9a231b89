"""The types of parameters, and the values that they give: read before anything is sent, looked up when it begins."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import click

from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import CLIError, describe_refusal, spell_parameter
from pinecone_admin.cli.sentences import join_sentences, list_words
from pinecone_admin.errors import PineconeValueError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pinecone_admin.cli.calls.naming import Thing
    from pinecone_admin.cli.calls.pipeline import Call
    from pinecone_admin.models import RoleBindingInput
    from pinecone_admin.workflows import OnDifference

# Written here, since the module with the models takes 28 ms to load; a test compares them. What refuses other roles is
# ``check_key_roles`` in _http/operation_checks.py.
API_KEY_ROLES = (
    "ControlPlaneEditor",
    "ControlPlaneViewer",
    "DataPlaneEditor",
    "DataPlaneViewer",
    "ProjectEditor",
    "ProjectViewer",
)
ORGANIZATION_ROLES = ("OrgBillingAdmin", "OrgManager", "OrgMember", "OrgOwner")
PROJECT_ROLES = (*API_KEY_ROLES[:5], "ProjectManager", "ProjectMember", "ProjectOwner", "ProjectViewer")
ROLES = (*API_KEY_ROLES[:4], *ORGANIZATION_ROLES, *PROJECT_ROLES[4:])
PRINCIPALS = ("user", "service-account", "api-key", "invite")
_BINDING = "role-binding"
ORGANIZATION = "organization"
"""The resource of a role that is on no project."""
_KEY_HOLDER = "an API key"

# The ids of organizations are made by a scheme whose first character can be a dash.
DASHED_ID = re.compile(r"-[\w-]{19}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LEAST_LIKENESS = 0.75  # difflib's own 0.6 takes user for search
_MOST_CHANGED = 2
"""Characters that differ in words of one spelling mistake: long words, such as addresses, are alike with more."""


def suggest(word: str, words: Sequence[str], otherwise: str | None = None) -> str:
    """Return which of the words was probably meant, as a question.

    Args:
        word: The word on the command line.
        words: The known words.
        otherwise: The text to return if no word is near; by default, a sentence with all of them.
    """
    nearest = find_nearest(word, words)
    instead = f"Choose from {', '.join(words)}." if otherwise is None else otherwise
    return f"Did you mean {nearest}?" if nearest else instead


def find_nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word that is spelt nearly like another one, if there is one."""
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415 - only misspelt words need it

    lower = {each.lower(): each for each in words}
    close = get_close_matches(word.lower(), lower, n=1, cutoff=_LEAST_LIKENESS)
    if not close:
        return None
    parts = SequenceMatcher(None, word.lower(), close[0]).get_opcodes()
    changed = sum(max(end - start, to - since) for tag, start, end, since, to in parts if tag != "equal")
    # A short word with two letters more or less is another one: each is no misspelt search.
    is_other = abs(len(word) - len(close[0])) > max(1, len(close[0]) // 4)
    return None if is_other or changed > _MOST_CHANGED else lower[close[0]]


def is_id(text: str) -> bool:
    """Return whether a text has the form of an id, so that it is taken for one without being looked up."""
    return _UUID.fullmatch(text) is not None


# Types


def _select_items(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return the words that complete one in a shell."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion needs it

    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


class Choice(click.Choice[str]):
    """One of a few words, in capitals if case does not matter; another word is an error that says the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        words = list(map(str, self.choices))
        text = str(value) if self.case_sensitive else str(value).upper()
        if text not in words:
            instead = f"Write {list_words(words, 'or')} instead."
            self.fail(
                f"{quote_name(str(value))}: there is no such value. {suggest(str(value), words, instead)}", param, ctx
            )
        return text


class BareRole(click.Choice[str]):
    """A role without a project.

    Args:
        choices: The roles that fit.
        holder: Who cannot have the other roles; empty if all roles fit.
    """

    topic: str = "roles"

    def __init__(self, choices: Sequence[str], holder: str = "") -> None:
        super().__init__(choices)
        self._holder = holder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the role."""
        if ":" in str(value):
            raise CLIError(f"{spell_parameter(param)} {value}: write the role alone, without a project.")
        if value not in self.choices:
            raise CLIError(_explain_unknown_role(spell_parameter(param), value, self.choices, self._holder))
        return str(value)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - as above
        """Return one word, because there are many roles."""
        return "ROLE"


class Count(click.ParamType[int]):
    """A whole number.

    Args:
        least: The least that it may be.
        most: The most that it may be; None for no limit.
    """

    name = "N"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        number = int(value) if re.fullmatch(r"\d{1,9}", str(value), re.ASCII) else -1
        if number < self._least or (self._most is not None and number > self._most):
            limit = "" if self._most is None else f" to {self._most}"
            self.fail(f"{quote_name(str(value))}: write a whole number from {self._least}{limit}.", param, ctx)
        return number


class Duration(click.ParamType[timedelta]):
    """A time such as 7d, 90m or 0."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time as a timedelta."""
        if isinstance(value, timedelta):
            return value
        duration = parse_duration(value)
        if duration is None:
            self.fail(
                f"{quote_name(str(value))}: write a number with a unit, such as 90s, 30m, 12h, 7d or 2w.", param, ctx
            )
        from pinecone_admin._http.argument_checks import MAX_TIMEDELTA  # noqa: PLC0415 - a help checks nothing

        if duration > MAX_TIMEDELTA:
            self.fail(
                f"{quote_name(str(value))}: the time is too long. At most, it is {MAX_TIMEDELTA.days}d.", param, ctx
            )
        return duration


def parse_duration(text: str) -> timedelta | None:
    """Return the time that a text such as ``7d`` means, or None if it is none.

    A time that is longer than any timedelta is ``timedelta.max``.
    """
    if text == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError:
        return timedelta.max


def split_command(text: str, source: str) -> list[str]:
    """Return the words of a command, which is run without a shell.

    Args:
        text: The command.
        source: The option or the part of its value that errors name.

    Raises:
        CLIError: A quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise CLIError(f"{source} cannot be split into words: {error}.") from error


class Checked(click.ParamType[str]):
    """A text that a method checks, too. Here, a row of a file that is wrong is found before the first one runs."""

    argument: str
    """The argument of the method."""

    def check(self, value: str) -> None:
        """Raise PineconeValueError if the method would not take the text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return the text; an empty one is refused where the other parameters are."""
        try:
            if value:
                self.check(value)
        except PineconeValueError as error:
            message = error.message_with_names({self.argument: spell_parameter(param)})
            raise CLIError(describe_refusal(message)) from error
        return str(value)


class Email(Checked):
    """The email address of a person, who may be no member yet."""

    name = argument = "email"

    def check(self, value: str) -> None:
        """Raise PineconeValueError if it is no address."""
        from pinecone_admin._http.argument_checks import check_email  # noqa: PLC0415 - a help checks nothing

        check_email("email", value)


class NewName(Checked):
    """A name that something gets.

    Args:
        model: The model of the API whose ``name`` it becomes.
    """

    name = "text"
    argument = "name"

    def __init__(self, model: str) -> None:
        self._model = model

    def check(self, value: str) -> None:
        """Raise PineconeValueError if nothing of the model can have the name."""
        from generated_client import models  # noqa: PLC0415 - a help needs no models
        from pinecone_admin._http.operation_checks import check_name  # noqa: PLC0415 - as above

        check_name(value, getattr(models, self._model), operation="check_name")


class NameOrId(click.ParamType["Reference"]):
    """The id or the name of a thing.

    Args:
        noun: Its kind, such as ``api-key``.

    Attributes:
        noun: Its kind.
    """

    def __init__(self, noun: str) -> None:
        self.name: str = noun.rsplit("-", maxsplit=1)[-1]
        self.noun: str = noun

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Reference:  # noqa: ARG002 - click's signature
        """Return the reference."""
        return Reference(self.noun, value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - as above
        """Return the names that complete one, if the API may be asked for them."""
        return _select_items(ctx.obj.find_names(self.noun), incomplete)


class RolePlace(NameOrId):
    """What a role is on: ``organization``, or the id or the name of a project."""

    def __init__(self) -> None:
        super().__init__("project")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or the reference to a project."""
        return value if value == ORGANIZATION else super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the word and the names that complete one."""
        return [*_select_items([ORGANIZATION], incomplete), *super().shell_complete(ctx, param, incomplete)]


class Role(click.ParamType["WantedRole"]):
    """A role on the organization, or on a project.

    Args:
        may_be_of_key: Whether an API key may get it, which has only one project, so that the role is written alone.
        beside: The role on the organization that whoever gets a role on a project needs, too; empty if none does.
    """

    name = "[PROJECT:]ROLE"
    topic: str = "roles"

    def __init__(self, *, may_be_of_key: bool = False, beside: str = "") -> None:
        self._may_be_of_key = may_be_of_key
        self._beside = beside

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> WantedRole:  # noqa: ARG002 - click's signature
        """Return the role."""
        if self._may_be_of_key and value and ":" not in value and value not in ORGANIZATION_ROLES:
            return WantedRole(value)  # ``check_role`` knows whose it is
        return parse_role(spell_parameter(param), value, beside=self._beside)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - as above
        """Return the roles that complete one, on the organization or behind a project."""
        project, colon, _ = incomplete.rpartition(":")
        roles = [f"{project}:{role}" for role in PROJECT_ROLES] if colon else ORGANIZATION_ROLES
        return _select_items(roles, incomplete)


class ProjectGrant(click.ParamType["WantedGrant"]):
    """A role on a project for somebody."""

    name = "TYPE:WHO:ROLE"
    topic: str = "roles"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> WantedGrant:  # noqa: ARG002 - click's signature
        """Return the grant."""
        return parse_grant(spell_parameter(param), value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - as above
        """Return the roles that complete one behind its holder."""
        who, _, _ = incomplete.rpartition(":")
        return _select_items([f"{who}:{role}" for role in PROJECT_ROLES] if ":" in who else [], incomplete)


KEY_ROLE = BareRole(API_KEY_ROLES, _KEY_HOLDER)


# Parameters


class PrincipalOption(click.Option):
    """One of several options that identify the principal; exactly one is required."""


OWNER_PLACEHOLDERS = ("kind", "scope", "project", "name")
"""What ``--store`` can have in it for what a secret belongs to; the scope is the project of a key, or else the kind."""


class Secret(NamedTuple):
    """The secret that a command makes.

    Attributes:
        kind: Its owner: ``api-key`` or ``service-account``.
        replaces: Whether it takes the place of one that is no longer valid, or soon is not.
        may_exist: Whether what it belongs to may exist already, so that an earlier run may have stored it.
        nested: Whether what it belongs to is one of several things in the output.
        many: Whether there may be several, each with a separate place.
    """

    kind: str
    replaces: bool = False
    may_exist: bool = False
    nested: bool = False
    many: bool = False

    @property
    def is_of_account(self) -> bool:
        """Whether it belongs to a service account, and not to an API key."""
        return self.kind == "service-account"

    @property
    def api_type(self) -> str:
        """The kind in the API: ``api_key`` or ``service_account``."""
        return self.kind.replace("-", "_")

    @property
    def is_irreversible(self) -> bool:
        """Whether it takes the place of one that stops working at once."""
        return self.is_of_account and self.replaces

    @property
    def needs_place(self) -> bool:
        """Whether the command needs a place for it, whatever it finds.

        A file may need no secret, and that of the account of this client has a place of its own.
        """
        return self.replaces if self.many else not self.is_irreversible

    @property
    def is_new(self) -> bool:
        """Whether it and what it belongs to are certainly new, so that making them can be undone."""
        return not (self.replaces or self.may_exist)


# Values that a command looks up before it calls its method: each has a method ``resolve``


class Reference(NamedTuple):
    """An id or a name, as it was typed."""

    noun: str
    text: str

    def __str__(self) -> str:
        return self.text

    def find(self, call: Call, *, project: str | None = None) -> Thing:
        """Return the thing; an API key is looked for in one project, or else in all."""
        return call.find(self.noun, self.text, project=project)

    def resolve(self, call: Call) -> str:
        """Return the id."""
        return self.find(call).id


class WantedRole(NamedTuple):
    """A role on the organization, on the project with this id or name, or on the project of an API key."""

    role: str
    project: str | None = None

    def __str__(self) -> str:
        return f"{self.project}:{self.role}" if self.project else self.role

    def resolve(self, call: Call) -> RoleBindingInput:
        """Return the role with the id of its project."""
        from pinecone_admin.models import on_organization, on_project  # noqa: PLC0415 - a help needs no models

        role: Any = self.role
        if self.project is None and self.role not in PROJECT_ROLES:
            return on_organization(role)
        named = None if self.project is None else call.find("project", self.project)
        if call.principal is None or call.principal.noun != "api-key":
            assert named is not None  # noqa: S101 - only a role of a key leaves out its project
            return on_project(named.id, role)
        own = call.admin.api_keys.describe(api_key_id=call.principal.id).project_id
        if named is not None and named.id != own:
            raise CLIError(
                f"API key {quote_name(call.principal.name or call.principal.id)} is not in project "
                f"{quote_name(named.name or named.id)}, so it cannot have a role there. Write the role alone: {role}.",
                says_if_unchanged=True,
            )
        return on_project(own, role)


class WantedGrant(NamedTuple):
    """A project role for a principal, given by its type and its id, name or email address."""

    noun: str
    principal: str
    role: str

    def __str__(self) -> str:
        return f"{self.noun}:{self.principal}:{self.role}"

    def resolve(self, call: Call) -> dict[str, str]:
        """Return the role with the id of the principal."""
        found = call.find(self.noun, self.principal)
        return {"principal_type": found.api_type, "principal_id": found.id, "role": self.role}


class WantedHandling(str):
    """The policy for differences."""

    __slots__ = ()

    def resolve(self, call: Call) -> OnDifference:
        """Return what the method does: if the command fails, its result shows what differs all the same."""
        call.fails_on_difference, call.leaves_differences = self == "fail", self != "update"
        return "update" if self == "update" else "report"


def spell_noun(noun: str) -> str:
    """Return what a sentence calls the things of a group of commands, such as ``API key`` for ``api-key``."""
    return noun.replace("-", " ").replace("api", "API")


def check_role(param: click.Parameter, role: WantedRole, *, is_of_key: bool) -> None:
    """Raise CLIError unless a role that may be of an API key fits its principal."""
    option = spell_parameter(param)
    if is_of_key:
        _check_key_role(option, role.role)
    elif role.project is None:
        parse_role(option, role.role)


def _check_key_role(option: str, role: str) -> None:
    if role not in API_KEY_ROLES:
        raise CLIError(_explain_unknown_role(option, role, API_KEY_ROLES, _KEY_HOLDER))


def _explain_unknown_role(option: str, role: str, fitting: Iterable[str], holder: str = "") -> str:
    """Return why a word cannot be the role, with the nearest role or all of them; of every option that has a role.

    Args:
        option: The option or the argument that has it.
        role: The word.
        fitting: The roles that could be meant, as they would be written.
        holder: Who cannot have a role that is not one of them; empty if all roles are.
    """
    problem = (
        f"{holder} cannot have the role {quote_name(role)}"
        if holder and role in ROLES
        else f"there is no role {quote_name(role)}"
    )
    spellings = {each.rpartition(":")[2]: each for each in fitting}
    nearest = find_nearest(role, spellings)
    remedy = f"Did you mean {spellings[nearest]}?" if nearest else f"Choose from {', '.join(spellings.values())}."
    return f"{option}: {problem}. {remedy}"


def parse_role(option: str, text: str, *, before: str = "", beside: str = "") -> WantedRole:
    """Return the role that ``ROLE`` or ``PROJECT:ROLE`` means.

    Args:
        option: The option or the argument that has it.
        text: The word on the command line.
        before: The text before a role on a project; by default, the option.
        beside: A role on the organization that has to be given, too; empty for none.

    Raises:
        CLIError: There is no such role on an organization or on a project.
    """
    project, colon, role = text.rpartition(":")
    if colon and not project:
        raise CLIError(f"{option} {text} names no project. Write PROJECT:ROLE, or a role on the organization alone.")
    if not role:
        raise CLIError(f"{option} {text} names no role. Write PROJECT:ROLE, such as search:ProjectEditor.")
    known = PROJECT_ROLES if colon else ORGANIZATION_ROLES
    if role not in known:
        raise CLIError(_explain_role(option, role, project, before=before, beside=beside))
    return WantedRole(role, project or None)


def _explain_role(option: str, role: str, project: str, *, before: str = "", beside: str = "") -> str:
    """Return why a role cannot be meant.

    Args:
        option: The option or the argument that has it.
        role: The role.
        project: The project that was named; empty for none.
        before: The text before a role on a project; by default, the option.
        beside: A role on the organization that has to be given, too; empty for none.
    """
    if role in ORGANIZATION_ROLES and project:
        return f"{role} is a role on the organization, so write it without a project: {option} {role}."
    if role in PROJECT_ROLES and not project:
        which = f"{role} is a role on a project, so say which one"
        example = f"{before or f'{option} '}search:{role}, for example."
        if beside:
            return f"{which}, and give a role on the organization, too: {option} {beside} {example}"
        return f"{which}: {example}"
    alone = [*ORGANIZATION_ROLES, *(each if before else f"PROJECT:{each}" for each in PROJECT_ROLES)]
    return _explain_unknown_role(option, role, PROJECT_ROLES if project else alone)


def parse_grant(option: str, text: str) -> WantedGrant:
    """Return what ``TYPE:PRINCIPAL:ROLE`` means.

    Raises:
        CLIError: It does not have three parts, or there is no such type or role.
    """
    noun, principal, role = _split_parts(option, text, "TYPE:WHO:ROLE, such as user:ada@example.com:ProjectEditor")
    if role in ORGANIZATION_ROLES:
        raise CLIError(
            f"{option} grants roles on the project, and {role} is a role on the organization. Use role grant."
        )
    if role not in PROJECT_ROLES:
        raise CLIError(_explain_role(option, role, principal))
    return WantedGrant(noun, principal, role)


BindingReading: TypeAlias = tuple[Reference, WantedRole]
"""The principal and the role of a role binding, as a text can be read."""


def parse_binding(option: str, text: str) -> list[BindingReading]:
    """Return the principal and the role that ``TYPE:PRINCIPAL:ROLE`` or ``TYPE:PRINCIPAL:PROJECT:ROLE`` means.

    Names may have colons, so that there can be several readings; the first has the shortest name of a project.

    Raises:
        CLIError: A part is missing, or there is no such type or role.
    """
    forms = "TYPE:WHO:ROLE or TYPE:WHO:PROJECT:ROLE, such as user:ada@example.com:search:ProjectViewer"
    noun, principal, role = _split_parts(option, text, forms)
    if noun == "api-key":
        _check_key_role(option, role)
    parts = principal.split(":") if role in PROJECT_ROLES else []
    splits = [(":".join(parts[:place]), ":".join(parts[place:])) for place in range(len(parts) - 1, 0, -1)]
    readings = [(Reference(noun, who), WantedRole(role, project)) for who, project in splits if who and project]
    if noun == "api-key":  # which has only one project
        readings.append((Reference(noun, principal), WantedRole(role)))
    return readings or [(Reference(noun, principal), parse_role(option, role, before=f"{noun}:{principal}:"))]


def explain_extra_words(words: Sequence[str], params: Sequence[click.Parameter], given: Mapping[str, object]) -> str:
    """Return why a command does not take these words, and what to write instead if that can be known.

    Args:
        words: The words.
        params: The parameters of the command.
        given: The values of the words and options that it takes.
    """
    excess = "is one word too many" if len(words) == 1 else "are more words than the command takes"
    text = f"{' '.join(words)} {excess}"
    options = {each.opts[0]: each for each in params if isinstance(each, click.Option)}
    role_options = [name for name, each in options.items() if isinstance(each.type, Role)]
    for word in words:
        noun, _, _ = word.partition(":")
        if role_options and f"--{noun.replace('_', '-')}" in options:
            with suppress(CLIError):
                who, role = parse_binding("", word)[0]
                return (
                    f"{text}. Write the principal and the role as options: --{who.noun} {shlex.quote(who.text)} "
                    f"{role_options[0]} {shlex.quote(str(role))}."
                )
    if any(word.partition("=")[0] in options for word in words):
        return f"{text}. Write options before --."
    taken = [each for each in params if isinstance(each, click.Argument) and isinstance(given.get(str(each.name)), str)]
    if not taken:
        return f"{text}."
    name = " ".join([str(given[str(taken[-1].name)]), *words])
    quoted = "" if "@" in name else f" If the name is {shlex.quote(name)}, write it in quotes."
    return f"{text}. The command takes one {spell_parameter(taken[-1])}.{quoted}"


def _split_parts(option: str, text: str, forms: str) -> tuple[str, str, str]:
    """Return the type, what is between it and the role, and the role; what is between may have colons itself.

    A type may be spelled as the API does, ``service_account``, since lists of role bindings have that word.
    """
    noun, _, rest = text.partition(":")
    noun = noun.replace("_", "-")
    principal, colon, role = rest.rpartition(":")
    if noun not in PRINCIPALS or not colon or not principal:
        raise CLIError(f"{option} {text}: write {forms}. The types are {', '.join(PRINCIPALS)}.")
    return noun, principal, role


# Words

_OF_OTHER_PROGRAMS: Mapping[str, str] = {
    "--debug": "To see each request, use --verbose.",
    "--filter": "To select a part of the output, use --query.",
    "--force": "Add --yes to go ahead, or --confirm NAME where the name is asked for.",
    "--format": "For another format, use --output.",
    "--jq": "To select a part of the output, use --query.",
    "--quiet": "To skip the question, use --yes. For less output, use -o raw.",
}
"""Options of other programs, each with what does the same."""
_OF_CHANGES = frozenset({"--yes", "--confirm", "--dry-run"})
_OF_FILES = frozenset({"--out", "--overwrite"})
_OF_SECRETS = frozenset({"--store", "--reveal"})
_OF_ROLE_LIST: Mapping[str, str] = {
    "--role": "To see who has a role, run a command such as pinecone-admin role list --role OrgOwner.",
    "--on": "To see who has a role on a project, run pinecone-admin role list --on PROJECT.",
    "--project": "To see who has a role on a project, run pinecone-admin role list --on PROJECT.",
}
"""Options that a list of those who can have roles does not have, each with the command that does."""


def protect_ids(args: Sequence[str], params: Sequence[click.Parameter]) -> list[str]:
    """Move ids that start with a dash, and would be read as options, behind ``--``."""
    takes_value = _find_options_with_value(params)
    ids, others = list[str](), list[str]()
    for position, word in enumerate(args):
        is_value = position > 0 and args[position - 1] in takes_value
        (ids if DASHED_ID.fullmatch(word) and not is_value else others).append(word)
    return [*others, "--", *ids] if ids and "--" not in args else list(args)


def move_to_end(words: Sequence[str], params: Sequence[click.Parameter], option: str, value: str) -> list[str]:
    """Return words without the option, and with its value as the last positional word."""
    takes_value = _find_options_with_value(params)
    (position,) = (
        number
        for number, word in enumerate(words)
        if word.partition("=")[0] == option and not (number and words[number - 1] in takes_value)
    )
    rest = [*words[:position], *words[position + (1 if "=" in words[position] else 2) :]]
    return [*rest, *([] if "--" in rest else ["--"]), value]


def _find_options_with_value(params: Sequence[click.Parameter]) -> set[str]:
    return {name for param in params if isinstance(param, click.Option) and not param.is_flag for name in param.opts}


def _advise_on_binding(option: str, command: click.Command, args: Sequence[str]) -> str | None:
    """Return how a role binding is written whose principal or role was given as an option; None if none was."""
    takes_binding = any(isinstance(each.type, NameOrId) and each.type.noun == _BINDING for each in command.params)
    if not takes_binding or option not in {"--role", *(f"--{noun}" for noun in PRINCIPALS)}:
        return None
    pairs = [
        (name, value if equals else following)
        for (name, equals, value), following in zip(
            (word.partition("=") for word in args), [*args[1:], ""], strict=True
        )
    ]
    given = {name: value for name, value in pairs if value and not value.startswith("-")}
    noun = next((each for each in PRINCIPALS if f"--{each}" in given), "TYPE")
    binding = f"{noun}:{given.get(f'--{noun}', 'WHO')}:{given.get('--role', 'ROLE')}"
    return f"Write the principal and the role as one word: {shlex.quote(binding)}."


def _describe_unknown_option(
    option: str,
    possibilities: Sequence[str],
    command: click.Command,
    context: click.Context,
    args: Sequence[str],
) -> click.UsageError:
    from pinecone_admin.cli.old_spellings import OLD_OPTIONS  # noqa: PLC0415 - only a wrong option needs it

    _, _, words = context.command_path.partition(" ")
    if (new := OLD_OPTIONS.get(f"{words} {option}")) is not None:
        return click.UsageError(f"{option} is now {new}.", context)
    own = {name for param in command.params for name in param.opts}
    advice = _OF_OTHER_PROGRAMS.get(option) or _advise_on_binding(option, command, args)
    if words in {f"{noun} list" for noun in PRINCIPALS}:
        advice = advice or _OF_ROLE_LIST.get(option)
    if option in _OF_CHANGES and "--yes" not in own and getattr(command, "effect", "") == "reads":
        advice = "The command changes nothing, so leave it out."
    elif option == "--confirm" and "--yes" in own:
        advice = "The command asks for no name. Add --yes to go ahead."
    elif option in _OF_SECRETS and "--store" not in own:
        advice = "The command stores no secret, so leave it out."
    elif option == "--reveal":
        advice = "The command can make many secrets, so store them with --store."
    if advice is not None:
        return click.UsageError(f"There is no {option}. {advice}", context)
    near = suggest(option, possibilities, otherwise="")  # click suggests what is less near, too
    said = [f"There is no {option}.", near]
    takes_command = any(each.name == "command" for each in command.params)
    takes_name = any(isinstance(each, click.Argument) for each in command.params)
    if "--" not in args and takes_command:
        said.append("Write the options of your command after --.")
    elif takes_name and not takes_command and not near and option not in _OF_CHANGES | _OF_FILES:
        # In a group of short options, such as -yz, the word begins with another one.
        said += [f"If {word} is a name, write it after --." for word in args if word.startswith(option)][:1]
    return click.NoSuchOption(option, join_sentences(said), ctx=context)


def check_options(command: click.Command, context: click.Context, args: Sequence[str]) -> None:
    """Raise UsageError if an option has an empty value, or if one that takes one value is given twice.

    An unset variable of a script gives an empty value, and some options would then count as not given. An empty name
    must not lead to exit code 4 either, which scripts take for something that is gone. Of two values,
    be one before the words of the command, click would take the last one. A flag that can only be set says the same
    twice.
    """
    if context.resilient_parsing:  # for completion
        return
    try:
        values, _, order = command.make_parser(context).parse_args(list(args))
    except click.NoSuchOption as error:
        raise _describe_unknown_option(error.option_name, error.possibilities or (), command, context, args) from None
    given: set[str] = context.meta.setdefault(f"{__name__}.given", set())  # shared with the contexts of the groups
    for each in order:
        value: object = values.get(str(each.name))
        if value == "" or (isinstance(each, click.Option) and isinstance(value, list) and "" in value):
            raise click.UsageError(f"{spell_parameter(each)} needs a value, but is empty.", context)
        if isinstance(each, click.Option) and not each.multiple and not (each.is_bool_flag and not each.secondary_opts):
            if str(each.name) in given:
                remedy: str = getattr(each, "remedy_if_repeated", "")
                raise click.UsageError(f"{each.opts[0]} is given twice, and takes one value.{remedy}", context)
            given.add(str(each.name))


def resolve(call: Call, value: Any) -> Any:
    """Return a value with the ids of what it names."""
    return value.resolve(call) if hasattr(value, "resolve") else value


def given_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of what was typed: what was left out is passed to nobody, whose own defaults count."""
    return {name: value for name, value in values.items() if value is not None and value != ()}
