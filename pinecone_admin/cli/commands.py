"""The parts of commands: groups, a command, and the options that several have. The commands are in ``nouns``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from importlib import import_module
from inspect import cleandoc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

import click

from pinecone_admin.cli.failures import CLIError, spell_parameter
from pinecone_admin.cli.nouns import NOUNS, SINGLE_COMMANDS
from pinecone_admin.cli.output.query import check_query
from pinecone_admin.cli.parameters import (
    PRINCIPALS,
    Choice,
    Count,
    NameOrId,
    NewName,
    PrincipalOption,
    Role,
    Secret,
    WantedHandling,
    check_options,
    explain_extra_words,
    find_nearest,
    given_values,
    move_to_end,
    protect_ids,
    spell_noun,
)
from pinecone_admin.cli.sentences import list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeValueError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from pinecone_admin.cli.calls.pipeline import Call

Effect: TypeAlias = Literal["reads", "changes", "deletes"]
"""The effect of a command on the organization."""

_Function = TypeVar("_Function", bound=Callable[..., object])


class Decorator(Protocol):
    """Adds parameters to the function of a command."""

    def __call__(self, function: _Function, /) -> _Function:
        """Return the function."""
        raise NotImplementedError


PROGRAM = "pinecone-admin"
FORMATS = ("table", "json", "yaml", "csv", "raw")
WIDEST = 100
"""Columns that a help uses at most."""
_ABOUT = "Manage a Pinecone organization from the shell."
_MOST_CHOICES = 5
"""Words that an error names."""
_COMMON = "Options of every command: pinecone-admin help options"
_ALIASES: Mapping[str, Sequence[str]] = {
    "add": ("create", "grant"),
    "api": ("send",),
    "edit": ("update",),
    "get": ("describe", "show"),
    "key": ("api-key",),
    "keys": ("api-key",),
    "logout": ("profile remove",),
    "ls": ("list",),
    "new": ("create", "grant"),
    "remove": ("delete", "revoke"),
    "rm": ("delete", "remove", "revoke"),
    "role-binding": ("role",),
    "role-bindings": ("role",),
    "set": ("update",),
    "show": ("describe",),
    "user add": ("ensure",),
    "view": ("describe", "show"),
}
"""Words of other programs and versions, each with the commands that it runs; the first that exists counts."""
_OF_ACCOUNTS = frozenset({"profile", "env_file", "client_secret_stdin", "expect_organization"})
"""The options that choose an account, or tell of it."""
_OF_SESSION = frozenset({"profile", "env_file", "read_only", "dry_run"})
"""The options that decide whether a command may change anything, whatever its other values are."""
_OTHER_WORDS: Mapping[str, str] = {
    "auth": "whoami",
    "batch": "each",
    "bulk": "each",
    "config": "profile",
    "rename": "update",
    "status": "doctor",
    "version": "--version",
}
"""The names of these commands in other programs. Here, the names have another meaning."""


# Parameters


class CommonOption(click.Option):
    """An option that every command has."""


class StoreOption(click.Option):
    """The option for the places of all secrets."""

    remedy_if_repeated = " It is one template, in which {scope} and {name} stand for what a secret belongs to."


class SavedProfile(click.ParamType[str]):
    """The name of a saved profile."""

    name = "profile"

    def list_choices(self) -> str:
        """Return the names, for a question.

        Raises:
            CLIError: No profile is saved, or the file of the profiles cannot be read.
        """
        from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - only few commands

        return load_profiles(find_profile_file()).list_choices()

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """Return the names of profiles that complete one."""
        from pinecone_admin.cli.completion import find_profiles  # noqa: PLC0415 - only completion needs it

        return find_profiles(incomplete)


def _keep_setting(context: click.Context, option: click.Parameter, value: object) -> object:
    if value is not None and value != ():
        if option.name == "query":
            check_query(str(value))
        context.obj.settings[option.name] = value
    return value


SETTING: Mapping[str, Any] = {"expose_value": False, "callback": _keep_setting, "default": None}
"""Makes an option one whose value goes to ``session.settings``, and not to the function of the command."""


def _read_handling(_: click.Context, __: click.Parameter, value: str | None) -> WantedHandling | None:
    return None if value is None else WantedHandling(value)


def argument(name: str, text: str, **attributes: Any) -> Decorator:
    """Add a positional parameter to the function of a command."""
    return click.argument(name, help=text, **attributes)


def new_name(model: str, text: str) -> Decorator:
    """Add the name of what a command creates, which is positional, and is taken as ``--name``, too.

    Args:
        model: The model of the API whose ``name`` it becomes.
        text: The help of the name.
    """

    def decorate(function: _Function) -> _Function:
        option = click.option("--name", _NAME_OPTION, hidden=True, expose_value=False, help="As NAME.")
        return argument("name", text, type=NewName(model), metavar="NAME")(option(function))

    return decorate


_NAME_OPTION = "name_option"


def key_scope(function: _Function) -> _Function:
    """Add the project to search for the name of an API key."""
    return click.option(
        "--project",
        "scope",
        **SETTING,
        type=NameOrId("project"),
        help="Project of the API key, if other projects have a key of this name.",
    )(function)


def api_key_argument(function: _Function) -> _Function:
    """Add the API key that a command is about, and the project to search for its name."""
    key = argument("api_key_id", "Name or id of the API key.", type=NameOrId("api-key"), metavar="API-KEY")
    return key(key_scope(function))


def principal(function: _Function) -> _Function:
    """Add the options for the principal. One of them is required; the function gets it as ``principal``."""
    for noun in reversed(PRINCIPALS):
        what = "Email address or id" if noun in {"user", "invite"} else "Name or id"
        text = f"{what} of the {spell_noun(noun)}."
        function = click.option(f"--{noun}", cls=PrincipalOption, type=NameOrId(noun), help=text)(function)
    return function


def roles(*, required: bool = False) -> Decorator:
    """Add the option for roles; the function gets them as ``role_bindings``.

    Args:
        required: Whether there must be a role, and one of them on the organization, as of a person.
    """
    text = "A role, such as OrgMember or search:ProjectEditor; can be repeated."
    kind = Role(beside="OrgMember" if required else "")
    return click.option("--role", "role_bindings", type=kind, multiple=True, required=required, help=text)


overwrite: Decorator = click.option("--overwrite", **SETTING, is_flag=True, help="Replace a file that exists.")


def _check_out(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value in FORMATS:
        raise click.UsageError(f"--out takes the name of a file. For the format, use -o {value}.")
    return value


def out(text: str) -> Decorator:
    """Add the option for the file that a command writes, which does not replace one unless ``--overwrite`` is given.

    Args:
        text: What is written.
    """

    def decorate(function: _Function) -> _Function:
        file = click.option("--out", metavar="FILE", callback=_check_out, help=f"{text} It must not exist yet.")
        return file(overwrite(function))

    return decorate


limit: Decorator = click.option("--limit", **SETTING, type=Count(1), help="Show at most this many.")
if_different: Decorator = click.option(
    "--if-different",
    "on_difference",
    type=Choice(("report", "fail", "update")),
    callback=_read_handling,
    help="If it exists with other settings, report them (default), fail with exit code 8, or update it.",
)


def _add_client_id(who: str) -> Decorator:
    return click.option("--own-client-id", "client_id", **SETTING, metavar="ID", help=f"Client id of {who}.")


own_client_id: Decorator = _add_client_id("your account; needed if you have only an access token")
planned_client_id: Decorator = _add_client_id(
    "the account that will apply the plan; needed with --inventory or only an access token"
)


def revoke_others(condition: str = "; only with --if-different update") -> Decorator:
    """Add the option for roles that somebody loses; the function gets it as ``revoke_unlisted``."""
    text = f"Also revoke every other role{condition}."
    return click.option("--revoke-others", "revoke_unlisted", is_flag=True, help=text)


def _common_options() -> list[click.Parameter]:
    options: Mapping[str, dict[str, Any]] = {
        # Before --output, whose name in messages counts for both.
        "--json output": {"flag_value": "json", "hidden": True},
        "--output -o": {
            "type": Choice(FORMATS),
            "metavar": "FORMAT",
            "help": "table (on a terminal), json (elsewhere), yaml, csv, or raw: one value per line.",
        },
        "--query": {"metavar": "JMESPATH", "help": "Show only this part of the output."},
        "--read-only": {
            "is_flag": True,
            "help": "Refuse every command that can change the organization.",
        },
        "--profile": {
            "metavar": "NAME",
            "type": SavedProfile(),
            "help": "Use a saved profile, whatever the environment contains.",
        },
        "--env-file": {"metavar": "FILE", "help": "Use the PINECONE_ variables in FILE."},
        "--client-secret-stdin": {"is_flag": True, "help": "Read the client secret from stdin."},
        "--expect-organization": {"metavar": "ID", "help": "Refuse to work on any other organization."},
        "--audit-log": {"metavar": "FILE", "help": "Append a line of JSON to FILE for each change."},
        "--verbose -v": {
            "is_flag": True,
            "help": "Show each request on stderr: method, path and status, but no headers or bodies.",
        },
    }
    return [CommonOption(names.split(), **SETTING, **attributes) for names, attributes in options.items()]


def _secret_options(makes: Secret) -> list[click.Parameter]:
    allow_group = click.Option(["--allow-group"], **SETTING, is_flag=True, help=ALLOW_GROUP)
    if makes.many:
        text = (
            "Where each secret goes, such as 'file:{scope}-{name}.key'; needed to create any. {scope} is the "
            "project of a key, or the word service-account (help secrets)."
        )
        return [StoreOption(["--store"], **SETTING, metavar="DESTINATION", help=text), allow_group]
    reveal = "Print the secret instead of storing it."
    if makes.may_exist:
        reveal = f"{reveal} A secret that exists already cannot be shown; with -o raw, the exit code is then 9."
    return [
        StoreOption(["--store"], **SETTING, metavar="DESTINATION", help=STORE),
        click.Option(["--reveal"], **SETTING, is_flag=True, help=reveal),
        allow_group,
    ]


STORE = "Where the secret goes: env-file:PATH#NAME, file:PATH or exec:COMMAND (help secrets)."
ALLOW_GROUP = "Let --store use a file that its group can read."


def _change_options(command: Command) -> list[click.Parameter]:
    """Return the options of every command that changes something, if only by temporary API keys."""
    if command.effect == "reads":
        return [_yes("Make the temporary API keys without asking.")] if command.makes_temporary_keys else []
    # Where the name must be typed, --yes is hidden: given, it is refused with a message. send alone shows it, since
    # only a DELETE needs the name.
    options: list[click.Parameter] = [_yes("Do not ask.", hidden=command.confirms and not command.takes_session)]
    if command.may_ask_for_name:
        text = "Go ahead without the question; NAME is its answer."
        options.append(click.Option(["--confirm"], **SETTING, metavar="NAME", help=text))
    preview = click.Option(["--dry-run"], **SETTING, is_flag=True, help="Show what would happen, and stop.")
    return [*options, preview]


def _yes(text: str, *, hidden: bool = False) -> click.Option:
    return click.Option(["--yes", "-y"], **SETTING, is_flag=True, help=text, hidden=hidden)


# Commands


_HYPHEN = "\N{NON-BREAKING HYPHEN}"


class _Formatter(click.HelpFormatter):
    """Ends no line at a hyphen, which belongs to an option or a place that is typed."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args.replace("-", _HYPHEN), prefix)

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", _HYPHEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, text.replace("-", _HYPHEN)) for name, text in rows], col_max, col_spacing)

    def write(self, string: str) -> None:
        super().write(string.replace(_HYPHEN, "-"))


class _Context(click.Context):
    formatter_class = _Formatter


class Command(click.Command):
    """A command: what it is about as data, and a function.

    Args:
        noun: The group that it is in.
        effect: Its effect on the organization.
        example: A command line that works in an organization with the names of the examples.
        takes_session: Whether its function gets the session, and writes its result itself. Otherwise it gets a
            ``Call``, and returns the result of the method of the client.
        makes: The secret that it makes, if it does.
        is_workflow: Whether its method is a workflow. A workflow has a dry run, and finishes the work of an interrupted
            run.
        lists_planned: Whether it does not name what it changes, so that a question lists that.
        confirms: Whether it deletes so much that the name must be typed.
        finds_more: Returns sentences on what else a run would delete; if there is any, the name must be typed.
        may_duplicate: Whether it makes another resource if one has the name already, so that the name must be typed.
        rows_warning: Sentence on what rows of ``each`` would delete, too; empty for none.
        own_warning: Sentence that is shown if the command is about the account that it uses itself, so that the name
            must be typed; empty for none.
        consequence: A sentence before the question about what cannot be restored; empty for none.
        makes_temporary_keys: Whether it makes API keys to read what projects contain, also where it changes nothing.
        makes_plan: Whether it writes a plan with ``--out``, so that one that it was to replace is deleted if it fails.
        effect_with: The effect by the values of a parameter, by its name; with any other value it is ``changes``.
        facts_with: Further warnings if an option is given and not 0, by the name of its parameter.
        fails_with: The exit code of every failure, if the others mean something else; None if they do not.
        uses: The options on accounts that it uses, if it signs in with none of the saved ones; None for all of them.
        topics: Topics of the help that say more, beside those of its parameters.
        params: Its own options and arguments, in any order.
        help: Its help, without the notes of its parameters.
        attributes: Other attributes of a command of click.
    """

    context_class: type[click.Context] = _Context

    def __init__(
        self,
        *,
        noun: Noun,
        effect: Effect,
        example: str,
        takes_session: bool = False,
        makes: Secret | None = None,
        is_workflow: bool = False,
        lists_planned: bool = False,
        confirms: bool = False,
        finds_more: Callable[[Call], Sequence[str]] | None = None,
        may_duplicate: bool = False,
        rows_warning: str = "",
        own_warning: str = "",
        consequence: str = "",
        makes_temporary_keys: bool = False,
        makes_plan: bool = False,
        effect_with: Mapping[str, Mapping[str, Effect]] = MappingProxyType({}),
        facts_with: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        fails_with: int | None = None,
        uses: Sequence[str] | None = None,
        topics: Sequence[str] = (),
        params: Sequence[click.Parameter] | None = None,
        help: str | None = None,  # noqa: A002 - the name that click has for it
        **attributes: Any,
    ) -> None:
        own_params = sorted(params or (), key=lambda each: (isinstance(each, click.Option), not each.required))
        super().__init__(params=[*own_params], help=cleandoc(help or ""), **attributes)
        self.effect: Effect = effect
        self.example: str = example
        self.takes_session: bool = takes_session
        self.makes: Secret | None = makes
        self.is_workflow: bool = is_workflow
        self.lists_planned: bool = lists_planned
        self.confirms: bool = confirms
        self.finds_more: Callable[[Call], Sequence[str]] | None = finds_more
        self.may_duplicate: bool = may_duplicate
        self.rows_warning: str = rows_warning
        self.own_warning: str = own_warning
        self.consequence: str = consequence
        self.makes_temporary_keys: bool = makes_temporary_keys
        self.makes_plan: bool = makes_plan
        self.effect_with: Mapping[str, Mapping[str, Effect]] = effect_with
        self.facts_with: Mapping[str, Mapping[str, Any]] = facts_with
        self.fails_with: int | None = fails_with
        self.uses: Sequence[str] | None = uses
        of_params = [topic for each in own_params if (topic := getattr(each.type, "topic", ""))]
        self.topics: tuple[str, ...] = (*dict.fromkeys([*topics, *of_params, *(["secrets"] if makes else [])]),)
        self.path: tuple[str, ...] = (*noun.path, str(self.name))
        self.own_params: list[click.Parameter] = own_params
        if makes is not None:
            self.params.extend(_secret_options(makes))
        self.params.extend([*_change_options(self), *_common_options()])

    @property
    def function(self) -> Callable[..., object]:
        """The function that it was made of."""
        assert self.callback is not None  # noqa: S101 - every command is made of one
        return self.callback

    @property
    def full_name(self) -> str:
        """Its words, separated by spaces."""
        return " ".join(self.path)

    @property
    def summary(self) -> str:
        """The first sentence of its help."""
        return (self.help or "").partition("\n\n")[0]

    @property
    def may_ask_for_name(self) -> bool:
        """Whether it asks for a name to be typed, in some cases or in all."""
        return self.confirms or bool(self.own_warning) or self.finds_more is not None or self.may_duplicate

    @property
    def goes_on(self) -> bool:
        """Whether the same words complete an interrupted run; those of one rotation may name the new key."""
        return self.is_workflow and not (self.makes is not None and self.makes.replaces and not self.makes.many)

    @property
    def spellings(self) -> dict[str, str]:
        """How its parameters are written, by their names, which are those of the arguments of the method."""
        return {str(each.name): spell_parameter(each) for each in self.params}

    def lacks_place(self, given: Iterable[str]) -> bool:
        """Return whether the names of the parameters that are given lack one on where the secret goes."""
        return self.makes is not None and self.makes.needs_place and not {"store", "reveal", "dry_run"} & {*given}

    def given(self, values: Mapping[str, Any]) -> Command:
        """Return the command with what is known about it if its parameters have these values."""
        found = copy(self)
        for name in filter(values.get, self.facts_with):
            vars(found).update(self.facts_with[name])
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command, among them ids which start with a dash."""
        if isinstance(ctx.obj, Session):
            ctx.obj.command = self
        try:
            return super().parse_args(ctx, self._complete_words(ctx, self.arrange_words(ctx, args)))
        except (click.UsageError, CLIError, PineconeValueError):
            if self.makes_plan and "--overwrite" in args and not ctx.resilient_parsing:
                from pinecone_admin.cli.plans.plan_files import remove_old_plans  # noqa: PLC0415 - only a failure needs it

                remove_old_plans(*_split_values(args, "--out"))
            raise

    def arrange_words(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        """Return the words with ids and the value of a hidden ``--name`` where positional ones stand, after checks.

        Raises:
            click.UsageError: An option is wrong, or the name is given twice.
        """
        words = protect_ids(args, self.params)
        check_options(self, ctx, words)
        if ctx.resilient_parsing or all(each.name != _NAME_OPTION for each in self.own_params):
            return words
        values, _, _ = self.make_parser(ctx).parse_args(list(words))
        name: object = values.get(_NAME_OPTION)
        if not isinstance(name, str):
            return words
        if isinstance(values.get("name"), str):
            raise click.UsageError("The name is given twice: give NAME or --name, not both.", ctx)
        return move_to_end(words, self.params, "--name", name)

    def _complete_words(self, ctx: click.Context, words: list[str]) -> list[str]:
        """Return the words with the values that are required and missing, which are asked for on a terminal.

        Raises:
            click.UsageError: There are more words than the command takes. Or there is no terminal, and the message
                names all that are missing.
            CLIError: The command is refused whatever is answered.
        """
        session: Session | None = ctx.obj if isinstance(ctx.obj, Session) else None
        values, extra, order = self.make_parser(ctx).parse_args(list(words))
        # An empty value is one; of what is missing, click's parser has a mark of its own, or nothing.
        given = {name for name, value in values.items() if type(value) in {str, list, tuple} and (value or value == "")}
        missing = [param for param in self.own_params if param.required and param.name not in given]
        if ctx.resilient_parsing or any("--help" in each.opts for each in order):
            return words
        if extra:  # before what is missing, which may be in these words
            raise click.UsageError(explain_extra_words(extra, self.params, values), ctx)
        if not missing:
            return words
        given_options = {str(each.name) for each in order}
        if session is None or not session.is_interactive or any(each.nargs < 0 for each in missing):
            known: set[str] = given_options.union(() if session is None else session.settings)
            secret = self.makes if self.lacks_place(known) else None
            principals = [each for each in self.own_params if isinstance(each, PrincipalOption)]
            lacks_principal = self.effect != "reads" and given_options.isdisjoint(str(each.name) for each in principals)
            raise click.UsageError(_describe_missing(missing, secret, principals if lacks_principal else ()), ctx)
        from pinecone_admin.cli.calls.pipeline import check_before_questions  # noqa: PLC0415 - loads the client

        # A session can be read-only because of these; click keeps the others when it has all values.
        session.settings |= {name: values[name] for name in given_options.intersection(_OF_SESSION)}
        check_before_questions(session, self, given_options)
        options, arguments = list[str](), list[str]()
        for each in missing:
            text = str(each.help)
            if isinstance(each.type, SavedProfile):
                text = f"{text.rstrip('.')} ({each.type.list_choices()})"
            value = session.ask_for_value(text)
            if not value:
                raise click.UsageError(_describe_missing([each]), ctx)
            if isinstance(each, click.Option):
                options.append(f"{each.opts[0]}={value}")
            else:
                arguments.append(value)
        separator = ["--"] if arguments and "--" not in words else []
        return [*options, *words, *separator, *arguments]

    def invoke(self, ctx: click.Context) -> None:
        """Run the command."""
        session: Session = ctx.obj
        session.command = command = self.given(ctx.params)
        if self.uses is not None and (unused := sorted(_OF_ACCOUNTS.difference(self.uses) & session.settings.keys())):
            raise CLIError(f"{self.full_name} does not use {self.spellings[unused[0]]}. Leave it out.")
        typed = given_values(ctx.params)
        session.is_filtered = bool(typed)
        changeable = [
            str(each.name) for each in self.own_params if isinstance(each, click.Option) and each.expose_value
        ]
        changeable += self.uses or ()
        if self.name == "update" and {*typed, *session.settings}.isdisjoint(changeable):
            options = list_words([self.spellings[each] for each in changeable], "or")
            raise CLIError(f"Nothing to change was given. Add {options}.")
        if self.takes_session:
            self.function(session, **typed)
            return
        from pinecone_admin.cli.calls.pipeline import run_command  # noqa: PLC0415 - loads the client

        run_command(session, command, typed)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help: usage, what it does, arguments, own options, the example in one line, and related topics."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        arguments = [each for each in self.params if isinstance(each, click.Argument)]
        _write_section(formatter, "Arguments", ((each.make_metavar(ctx), each.help or "") for each in arguments))
        _write_options(self, ctx, formatter)
        with formatter.section("Example"):
            formatter.write(f"  {self.example}\n")
        if self.topics:
            formatter.write(f"\nSee also: {', '.join(f'{PROGRAM} help {each}' for each in self.topics)}\n")


def _split_values(words: Sequence[str], option: str) -> tuple[list[str], list[str]]:
    """Return the values of an option in words that cannot be parsed, and the other words with the values in them."""
    values, others, rest = list[str](), list[str](), iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        if name == option:
            values.append(value if word != option else next(rest, ""))
        else:
            others += [word, value]
    return values, others


def _describe_missing(
    params: Sequence[click.Parameter], secret: Secret | None = None, principals: Sequence[click.Parameter] = ()
) -> str:
    """Return a sentence that names missing parameters, each with its words if they are few.

    Args:
        params: The parameters.
        secret: The secret whose place is missing, too; None if it is not.
        principals: The options of which one is missing, too.
    """
    named = list[str]()
    for each in params:
        words = list(map(str, each.type.choices)) if isinstance(each.type, click.Choice) else []
        named.append(
            spell_parameter(each) + (f" ({list_words(words, 'or')})" if 0 < len(words) <= _MOST_CHOICES else "")
        )
    if secret is not None:
        named.append("--store" if secret.many else "--store (or --reveal)")
    if principals:
        named.append(f"one of {list_words(map(spell_parameter, principals))}")
    return f"{list_words(named)} {'is' if len(named) == 1 else 'are'} missing."


class Noun(click.Group):
    """A group of commands.

    Args:
        name: Their subject, such as ``api-key``; empty for the root.
    """

    context_class: type[click.Context] = _Context

    def __init__(self, name: str) -> None:
        self.path: tuple[str, ...] = (name,) if name else ()
        start = "" if name else f"Start with: {PROGRAM} login\n\n"
        words = f"{start}Help on a command, with an example: {' '.join((PROGRAM, *self.path))} COMMAND --help"
        super().__init__(
            name or PROGRAM,
            help=f"{NOUNS.get(name, _ABOUT)}\n\n{words}",
            params=_common_options(),
            subcommand_metavar="COMMAND …",
        )

    def command(  # type: ignore[override]  # one way to make a command, with what each must say
        self, effect: Effect, **facts: Any
    ) -> Callable[[Callable[..., object]], Command]:
        """Make a function that calls a method of the client a command; its docstring is the help.

        Args:
            effect: The effect of the command on the organization.
            facts: What else is known about it, as ``Command`` takes it.
        """

        def decorate(function: Callable[..., object]) -> Command:
            name = function.__name__.strip("_").replace("_", "-")
            created = click.command(name, cls=Command, noun=self, effect=effect, **facts)(function)
            self.add_command(created)
            return created

        return decorate

    def session_command(self, effect: Effect, **facts: Any) -> Callable[[Callable[..., object]], Command]:
        """Make a command of a function that gets the session, and does all of the work."""
        return self.command(effect, takes_session=True, **facts)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the word of a command."""
        check_options(self, ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the next word, or suggest one that is spelt nearly like it."""
        known = self.list_commands(ctx)
        args = [*self.find_alias(args[0], known), *args[1:]]
        # A shell completes what is not typed to its end, and shows nothing but words.
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            from pinecone_admin.cli.old_spellings import OLD_COMMANDS  # noqa: PLC0415 - only a wrong word needs it

            words = " ".join((*self.path, args[0]))
            if words in OLD_COMMANDS:
                raise click.UsageError(f"{words} is now {OLD_COMMANDS[words]}.", ctx)
            nearest = find_nearest(self._find_meant(args, known), [*known, *self._list_own_options()])
            hint = self.suggest_commands_of_nouns(args[0]) or (
                f" Did you mean {' '.join((*self.path, nearest))}?" if nearest else ""
            )
            help_of = " ".join((PROGRAM, *self.path, "--help"))
            raise click.UsageError(f"There is no command {words}.{hint} All commands: {help_of}.")
        return super().resolve_command(ctx, args)

    def find_alias(self, word: str, known: Sequence[str]) -> Sequence[str]:
        """Return the words that a word means: itself, its singular, or a command."""
        singular = word.removesuffix("s")
        if not self.path and word not in known and singular in NOUNS:
            return [singular]
        meant = () if word in known else _ALIASES.get(" ".join((*self.path, word)), _ALIASES.get(word, ()))
        return next((words for each in meant if (words := each.split())[0] in known), [word])

    def _find_meant(self, words: Sequence[str], known: Sequence[str]) -> str:
        """Return the word that words of another program mean, such as ``login`` of ``auth login``."""
        first, *others = words
        if first in _OTHER_WORDS and others and others[0] in known:
            return others[0]
        return _OTHER_WORDS.get(first, first)

    def _list_own_options(self) -> list[str]:
        """Return the options that no command has, such as ``--version``."""
        return [option for each in self.params if not isinstance(each, CommonOption) for option in each.opts]

    def suggest_commands_of_nouns(self, word: str) -> str:
        """Return a question that names the one or two commands with a noun that end in a word, or nothing."""
        found = [] if self.path else [each for each in load_commands() if each.full_name.split()[1:] == [word]]
        return f" Did you mean {' or '.join(each.full_name for each in found)}?" if 0 < len(found) <= 2 else ""  # noqa: PLR2004

    def summaries(self) -> Mapping[str, str]:
        """Return the words that can follow, each with a sentence about it."""
        commands = self.commands.items()
        return {word: each.summary for word, each in sorted(commands) if isinstance(each, Command)}

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        _write_section(formatter, "Commands", self.summaries().items())


class Root(Noun):
    """The root of all commands, which loads a noun when it is used."""

    def __init__(self) -> None:
        super().__init__("")
        self.params.append(
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version,
                help="Show the version and exit.",
            )
        )

    def summaries(self) -> Mapping[str, str]:
        """Return the nouns and the commands without one, each with a sentence about it."""
        return {**NOUNS, **{word: text for word, (_, text) in SINGLE_COMMANDS.items()}}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the nouns, and the commands without one."""
        return [*NOUNS, *SINGLE_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return the group or the command of a word."""
        if cmd_name in NOUNS:
            noun: Noun = import_module(f"{NOUNS_PACKAGE}.{cmd_name.replace('-', '_')}").NOUN
            return noun
        if cmd_name in SINGLE_COMMANDS:
            import_module(f"{NOUNS_PACKAGE}.{SINGLE_COMMANDS[cmd_name][0]}")
        return self.commands.get(cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the words that complete one, without loading what they name."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion needs it

        words = self.summaries().items()
        found = [CompletionItem(word, help=text) for word, text in words if word.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help, with the option for the version."""
        super().format_help(ctx, formatter)
        _write_options(self, ctx, formatter)


NOUNS_PACKAGE = "pinecone_admin.cli.nouns"


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from pinecone_admin._text.version import __version__  # noqa: PLC0415 - only this option needs it

        click.echo(f"{PROGRAM} {__version__}")
        context.exit()


ROOT = Root()


SETTINGS: Mapping[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}
"""The settings of each context of the root. Click keeps the option for help that the first context of a command has."""


def make_root_context(name: str = PROGRAM, session: Session | None = None) -> click.Context:
    """Return a context of the root, for parts of a command line."""
    return click.Context(ROOT, info_name=name, obj=session, **SETTINGS)


def load_commands() -> list[Command]:
    """Return all commands, those with a noun first."""
    context = make_root_context()
    groups = [ROOT.get_command(context, word) for word in ROOT.list_commands(context)]
    found = [each for group in groups for each in (group.commands.values() if isinstance(group, Noun) else [group])]
    return [each for each in found if isinstance(each, Command)]


def describe_common_options() -> list[tuple[str, str]]:
    """Return the options that every command has, each with its help."""
    context = make_root_context()
    options = [param for param in ROOT.get_params(context) if isinstance(param, CommonOption) or "--help" in param.opts]
    return [*_describe(options, context)]


def _write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command, and where those are that every command has."""
    own = [each for each in command.params if not isinstance(each, CommonOption)]
    _write_section(formatter, "Options", _describe(own, context))
    formatter.write(f"\n{_COMMON}\n")


def _describe(params: Iterable[click.Parameter], context: click.Context) -> Iterable[tuple[str, str]]:
    options = (each.get_help_record(context) for each in params if isinstance(each, click.Option))
    return filter(None, options)


def _write_section(formatter: click.HelpFormatter, title: str, rows: Iterable[tuple[str, str]]) -> None:
    listed = list(rows)
    if listed:
        with formatter.section(title):
            formatter.write_dl(listed)
