"""Build the commands from the registry when they are needed, and run one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import click

from pinecone_admin.cli import parameters
from pinecone_admin.cli.commands import COMMANDS
from pinecone_admin.cli.error_output import CommandFailure, asks_for_json
from pinecone_admin.cli.failures import describe_completion, describe_failure
from pinecone_admin.cli.help.completion import VARIABLE, complete_words
from pinecone_admin.cli.help.page import WIDEST, write_example, write_help, write_options
from pinecone_admin.cli.registry import NOUNS, CommandSpec, find_command, list_below
from pinecone_admin.cli.secrets.options import secret_options
from pinecone_admin.cli.session import Session

PROGRAM = "pinecone-admin"
_ABOUT = "Run a Pinecone organization: its projects, API keys, users, invites, service accounts and roles."
_OTHER_WORDS: Mapping[str, str] = {
    "add": "create",
    "api": "send",
    "auth": "whoami",
    "config": "profile",
    "edit": "update",
    "get": "describe",
    "key": "api-key",
    "login": "profile",
    "ls": "list",
    "new": "create",
    "remove": "delete",
    "rename": "update",
    "rm": "delete",
    "show": "describe",
    "status": "doctor",
    "view": "describe",
}
"""What other programs call these commands."""
_SETTINGS: Mapping[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}


def run_command_line(argv: Sequence[str]) -> int:
    """Run a command line on the standard streams, and return its exit code."""
    session = Session.of_process()
    if VARIABLE in session.env:
        return complete_words(session, build_root())
    session.expects_json_errors = asks_for_json(argv)
    with session.interruptions:
        try:
            error = _run(session, argv)
            session.interruptions.hold()
        except KeyboardInterrupt as late:  # only the first signal raises
            error = late
        session.interruptions.end_notices()
        session.ledger.close()
        failure = _describe_end(session, error)
        if failure is None:
            return session.exit_code
        with suppress(OSError):  # nobody reads stderr, but the exit code counts
            session.write_failure(failure)
        return failure.exit


def _run(session: Session, argv: Sequence[str]) -> BaseException | None:
    """Run a command line, and return the error with which it ended."""
    try:
        with session:
            _invoke(session, argv)
    except BrokenPipeError:
        pass  # whoever reads stdout has enough
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every error ends in one line and a code
        return error
    return None


def _describe_end(session: Session, error: BaseException | None) -> CommandFailure | None:
    """Return what to tell about the end of a command; None if it has done its work, and was not interrupted."""
    is_interrupted = session.interruptions.received
    if error is None:
        return describe_completion(session.exit_code, session.ledger) if is_interrupted else None
    return describe_failure(
        error,
        ledger=session.ledger,
        is_interrupted=is_interrupted,
        goes_on=session.spec is not None and session.spec.goes_on and not session.is_dry_run,
        spellings=_list_spellings(session.spec) if session.spec else {},
    )


def _invoke(session: Session, argv: Sequence[str]) -> None:
    try:
        with build_root().make_context(PROGRAM, list(argv), obj=session, **_SETTINGS) as context:
            context.command.invoke(context)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message())
    except click.exceptions.Exit as ended:
        session.exit_code = ended.exit_code


def build_root() -> CommandGroup:
    """Return the root of all commands."""
    root = CommandGroup((), _ABOUT)
    root.params.append(
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version and exit.",
        )
    )
    return root


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from pinecone_admin._http.headers import __version__  # noqa: PLC0415 - only this option needs it

        click.echo(f"{PROGRAM} {__version__}")
        context.exit()


class CommandGroup(click.Group):
    """A group of commands, which are built when they are used.

    Args:
        path: Words that lead to it.
        summary: What it is about.
    """

    def __init__(self, path: tuple[str, ...], summary: str) -> None:
        words = f"{' '.join((PROGRAM, *path))} COMMAND --help says more, with an example."
        super().__init__(
            path[-1] if path else PROGRAM,
            help=f"{summary}\n\n{words}",
            params=parameters.common_options(),
            subcommand_metavar="COMMAND …",
        )
        self.path = path

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the word of a command."""
        parameters.check_options(self, ctx, args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the words that can follow."""
        return list_below(self.path, COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Return the group or the command of a word."""
        path = (*self.path, cmd_name)
        spec = find_command(path, COMMANDS)
        if spec is not None:
            return build_command(spec)
        return CommandGroup(path, NOUNS[cmd_name]) if list_below(path, COMMANDS) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of the next word, or suggest one that is spelt nearly like it."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            words = " ".join((*self.path, args[0]))
            meant = _OTHER_WORDS.get(args[0], args[0])
            raise click.UsageError(f"there is no command {words!r}: {parameters.suggest(meant, known)}", ctx)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(word, self._summarize(word)) for word in self.list_commands(ctx)])
        if not self.path:
            write_options(self, ctx, formatter)

    def _summarize(self, word: str) -> str:
        spec = find_command((*self.path, word), COMMANDS)
        return NOUNS[word] if spec is None else spec.summary


class Command(click.Command):
    """A command that takes ids which start with a dash, as those of organizations do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the command."""
        words = parameters.protect_ids(args, self.params)
        parameters.check_options(self, ctx, words)
        return super().parse_args(ctx, words)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        write_help(self, ctx, formatter)
        write_example(self.epilog or "", formatter)


def build_command(spec: CommandSpec) -> Command:
    """Return the command that the registry describes; one that is written by hand is imported."""
    own: click.Command = import_module(spec.module).command if spec.module else _derive_command(spec)
    added = [*secret_options(spec), *parameters.change_options(spec), *parameters.common_options()]
    return Command(
        spec.path[-1],
        params=[*own.params, *added],
        callback=_keep_spec(own.callback, spec),
        help="\n\n".join(filter(None, (spec.summary, spec.details))),
        epilog=spec.example,
    )


def _list_spellings(spec: CommandSpec) -> dict[str, str]:
    """Return how the parameters of a command are written, by their names and by the arguments of methods."""
    found = {
        str(each.name): each.opts[0] if isinstance(each, click.Option) else each.human_readable_name.strip("[]")
        for each in build_command(spec).params
    }
    arguments = {name: found[each.name] for each in spec.parameters for name in each.arguments if each.name in found}
    return arguments | found


def _derive_command(spec: CommandSpec) -> click.Command:
    @click.pass_obj
    def call(session: Session, /, **values: Any) -> None:
        from pinecone_admin.cli.calls.invoke import call_method  # noqa: PLC0415 - loads the client

        call_method(session, spec, values)

    return click.Command(spec.path[-1], params=parameters.build_parameters(spec), callback=call)


def _keep_spec(callback: Callable[..., Any] | None, spec: CommandSpec) -> Callable[..., Any]:
    @click.pass_context
    def call(context: click.Context, /, **values: Any) -> Any:
        session: Session = context.obj
        session.spec = spec
        return None if callback is None else context.invoke(callback, **values)

    return call
