"""Every public method has a command, which passes all of its arguments and says what it does."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click

from generated_client import api
from pinecone_admin import Admin
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.cli import nouns, parameters
from pinecone_admin.cli.commands import ROOT, Command, make_root_context
from pinecone_admin.cli.help.topics import TOPICS
from pinecone_admin.cli.parameters import PrincipalOption
from pinecone_admin.cli.secrets.store_template import FORMS
from pinecone_admin.models import API_KEY_ROLES, ORGANIZATION_ROLES, PROJECT_ROLES, literal_values
from tests.cli.command_line import COMMANDS
from tests.cli.example_runs import run_examples

NOUNS = Path(str(nouns.__file__)).parent
METHOD_COMMANDS = [each for each in COMMANDS if not each.takes_session]

OTHER_WAYS = {
    "api_keys.describe_by_name": "api-key describe takes the name, too",
    "api_keys.identify": "api-key identify reads the value from stdin, or at a prompt",
    "api_keys.temporary": "run makes a key for the time of a command",
    "invites.describe_by_email": "invite describe takes the address, too",
    "projects.delete_stale": "project stale and apply call it with and without a plan",
    "projects.describe_by_name": "project describe takes the name, too",
    "role_bindings.create": "role grant calls ensure, which creates what is missing",
    "service_accounts.rotate_secret": "service-account rotate calls rotate, which hands the secret over",
    "service_accounts.describe_by_name": "service-account describe takes the name, too",
    "users.describe_by_email": "user describe takes the address, too",
    "users.offboard": "user offboard asks between its dry run and the run",
    "users.offboard_many": "user offboard calls it with and without a plan",
}
"""Methods that no function of a command calls, each with the reason."""

NOT_PASSED = {
    "pagination_token": "the client pages by itself",
    "service_accounts.rotate dry_run": "a dry run shows the request of rotate_secret",
}
"""Arguments that no command passes, each with the reason."""

# A command that reads the contents of a project creates a temporary key for that, and deletes it.
_TEMPORARY_KEY = {"create_api_key", "delete_api_key"}


def public_methods() -> dict[str, Callable[..., Any]]:
    """Return the public methods of every namespace, such as ``projects.list``."""
    with Admin(access_token="none", lazy=True) as admin:
        return {
            f"{namespace}.{name}": function
            for namespace in NAMESPACES
            for name, function in inspect.getmembers(type(getattr(admin, namespace)), inspect.isfunction)
            if not name.startswith("_")
        }


def file_of(command: Command) -> str:
    """Return the file that has a command."""
    return f"{command.function.__module__.replace('.', '/')}.py"


def run_calls(function: ast.AST) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the functions of workflows that a function calls with the run that it opened, each with the arguments."""
    for block in (each for each in ast.walk(function) if isinstance(each, ast.With)):
        opened = [each.context_expr for each in block.items if isinstance(each.context_expr, ast.Call)]
        of_run = [each for opening in opened if ast.unparse(opening.func) == "open_run" for each in opening.keywords]
        for node in ast.walk(block):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.args[0]) == "run":
                passed = {str(each.arg): ast.unparse(each.value) for each in (*of_run, *node.keywords)}
                yield ast.unparse(node.func), passed


@cache
def methods_of_workflows() -> dict[str, str]:
    """Return the public method that opens the run of each function of a workflow."""
    return {
        workflow: method
        for method, function in public_methods().items()
        for workflow, _ in run_calls(ast.parse(textwrap.dedent(inspect.getsource(function))))
    }


def calls_of(command: Command) -> dict[str, dict[str, str]]:
    """Return the methods that the function of a command calls, each with its arguments and what is passed for them.

    A command that needs the report of an interrupted workflow calls the function that the method calls, with ``begin``.
    """
    tree = ast.parse((NOUNS / f"{command.path[0].replace('-', '_')}.py").read_text(encoding="utf-8"))
    name = command.function.__name__
    function = next(each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == name)
    found: dict[str, dict[str, str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)).startswith("call.admin."):
            passed = {str(each.arg): ast.unparse(each.value) for each in node.keywords}
            found.setdefault(called.removeprefix("call.admin."), {}).update(passed)
    for workflow, passed in run_calls(function):
        del passed["begin"]
        found.setdefault(methods_of_workflows()[workflow], {}).update(passed)
    return found


def test_every_public_method_has_a_command() -> None:
    """Each method is called by a command, or there is a reason why none does."""
    methods = public_methods()
    called = {method for each in METHOD_COMMANDS for method in calls_of(each)}
    lacking = methods.keys() - called - OTHER_WAYS.keys()
    assert lacking == set(), f"add commands to pinecone_admin/cli/nouns, or reasons to OTHER_WAYS, for {lacking}"
    assert (called | OTHER_WAYS.keys()) - methods.keys() == set()


def test_every_argument_of_a_method_is_passed_by_its_command() -> None:
    """An argument that a method gets later is told as one without an option, with the module of the command."""
    methods = public_methods()
    lacking = {
        f"{method} {name} ({file_of(each)})"
        for each in METHOD_COMMANDS
        for method, passed in calls_of(each).items()
        for name in inspect.signature(methods[method]).parameters.keys() - passed.keys() - {"self"}
        if name not in NOT_PASSED and f"{method} {name}" not in NOT_PASSED
    }
    assert lacking == set(), "add options for these arguments, or reasons to NOT_PASSED"


def test_what_is_left_out_is_the_default_of_the_method() -> None:
    """A parameter that is not given is not passed on, so that the function has the default of the method it calls."""
    methods = public_methods()
    compared = 0
    for command in METHOD_COMMANDS:
        own = inspect.signature(command.function).parameters
        for method, passed in calls_of(command).items():
            for name, value in passed.items():
                default = inspect.signature(methods[method]).parameters[name].default
                if value == name and inspect.Parameter.empty not in (own[name].default, default):
                    assert own[name].default == default, f"{command.full_name}: {name}"
                    compared += 1
    assert compared > len(METHOD_COMMANDS) / 2


def test_the_parameters_of_a_command_are_those_of_its_function() -> None:
    """Each option and argument reaches the function, which has a default unless it is required."""
    for command in COMMANDS:
        own = [each for each in command.own_params if each.expose_value and not isinstance(each, PrincipalOption)]
        takes = dict(list(inspect.signature(command.function).parameters.items())[1:])
        if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
            continue
        given = {str(each.name): each.required or getattr(each, "is_flag", False) for each in own}
        has_principal = len(own) < len([each for each in command.own_params if each.expose_value])
        assert takes.keys() == given.keys() | ({"principal"} if has_principal else set()), command.full_name
        for name, each in takes.items():
            assert (each.default is each.empty) <= given.get(name, True), f"{command.full_name}: {name}"


def test_facts_of_a_command_fit_the_call() -> None:
    """A method with ``dry_run`` is a workflow, and the secret of one with ``store`` may be stored already."""
    for command in METHOD_COMMANDS:
        passed = {name for arguments in calls_of(command).values() for name in arguments}
        may_be_workflow = command.is_workflow or any(each.get("is_workflow") for each in command.facts_with.values())
        assert may_be_workflow == ("dry_run" in passed), command.full_name
        stores = command.makes is not None and not command.makes.is_new
        assert stores == ("store" in passed), command.full_name
        makes = {"APIKeyWithSecret": "api-key", "ServiceAccountWithSecret": "service-account"}
        texts = [str(inspect.signature(public_methods()[method])) for method in calls_of(command)]
        kinds = {kind for name, kind in makes.items() if any(name in text for text in texts)}
        assert kinds == ({command.makes.kind} if command.makes else set()), command.full_name


def test_names_of_roles_are_those_of_the_models() -> None:
    """The command line writes them down, because the module with the models takes long to load."""
    assert parameters.API_KEY_ROLES == API_KEY_ROLES
    assert parameters.ORGANIZATION_ROLES == ORGANIZATION_ROLES
    assert parameters.PROJECT_ROLES == PROJECT_ROLES
    assert literal_values("RoleName") == parameters.ROLES


def test_the_table_of_single_commands_is_that_of_their_helps() -> None:
    """The help of the program has the first sentence of each command without loading it."""
    summaries = {each.full_name: each.summary for each in COMMANDS if len(each.path) == 1}
    assert {name: text for name, (_, text) in nouns.SINGLE_COMMANDS.items()} == summaries
    assert {each.path[0] for each in COMMANDS if each.path[1:]} == nouns.NOUNS.keys()


def test_every_form_of_a_place_for_secrets_is_documented() -> None:
    """Each help with --store, the topic and the page name every form of a place, or the topic."""
    forms = re.findall(r"[a-z-]+:[A-Z#]+", FORMS)
    page = (Path(__file__).parents[2] / "docs/command-line.md").read_text(encoding="utf-8")
    options = {each.full_name: option for each in COMMANDS for option in each.params if option.name == "store"}
    texts = {name: str(getattr(option, "help", "")) for name, option in options.items()}
    texts |= {"help secrets": TOPICS["secrets"], "docs/command-line.md": page}
    assert (len(forms), "send" in texts) == (3, True)
    lacking = {name for name, text in texts.items() for form in forms if form not in text}
    assert {name for name in lacking if "help secrets" not in texts[name]} == set()
    assert not {"help secrets", "docs/command-line.md", "send"} & lacking


def test_every_operation_is_sent_by_the_example_of_a_command() -> None:
    """The operations that the examples send are those of the API."""
    sent = {request.operation_id for each in run_examples() for request in each.requests}
    builders = {name for name in api.__all__ if not name.startswith("_")}
    # The example of its command is a dry run: an organization cannot be had back.
    lacking = builders - sent - {"delete_organization"}
    failed = {each.spec.full_name: each.done.stderr for each in run_examples() if each.done.exit}
    remedy = "let examples in pinecone_admin/cli/nouns send them, in what tests/cli/command_line.py creates"
    assert lacking == set(), f"{remedy}; these failed: {failed}"


def test_the_effect_of_a_command_is_what_it_sends() -> None:
    """A command that reads sends GET only; one that deletes sends DELETE; one that changes sends something else."""
    for each in run_examples():
        spec = each.spec
        ignored = _TEMPORARY_KEY if spec.makes_temporary_keys else set()
        methods = {request.method for request in each.requests if request.operation_id not in ignored} - {"GET"}
        sends = f"{file_of(spec)}: the example of {spec.full_name}, which {spec.effect}, sends {methods or 'GET only'}"
        remedy = f"correct the effect or the example: {each.done.stderr}"
        if spec.effect == "reads":
            assert methods == set(), f"{sends}: {remedy}"
        elif not spec.takes_session and "--dry-run" not in spec.example:
            assert methods, f"{sends}: {remedy}"
            assert "DELETE" in methods or spec.effect == "changes", f"{sends}: {remedy}"


def test_names_of_commands_and_options_are_distinct() -> None:
    """No two commands have the same words, and no two parameters of a command the same name or spelling."""
    assert len({spec.path for spec in COMMANDS}) == len(COMMANDS)
    for spec in COMMANDS:
        options = [word for each in spec.params for word in (*each.opts, *each.secondary_opts)]
        assert len(set(options)) == len(options), spec.full_name
        names = [each.name for each in spec.params if each.opts != ["--json"]]  # another spelling of --output json
        assert len(set(names)) == len(names), spec.full_name


def test_contexts_of_the_root_are_made_in_one_place() -> None:
    """Click keeps the option for help of a command's first context, so each context has the settings of the root."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(NOUNS.parent.rglob("*.py"))}
    assert [name for name, text in sources.items() if "click.Context(ROOT" in text] == ["commands.py"]


def test_every_argument_and_option_has_a_help() -> None:
    """No command has a parameter without a sentence about it, nor one with the limits of a number as a formula."""
    helps = dict(list_helps(ROOT, make_root_context()))
    assert [
        name for name, text in helps.items() if not re.match(r"[A-Za-z].*[.\]]$", text) or re.search(r"[<>]=", text)
    ] == []
    assert len(helps) > len(COMMANDS)


def list_helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield each argument and option of a command and of those below it, with its help."""
    for each in command.get_params(context):
        if isinstance(each, click.Argument):
            yield f"{context.command_path} {each.name}", each.help or ""
        elif record := each.get_help_record(context):
            yield f"{context.command_path} {each.name}", record[1]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from list_helps(child, click.Context(child, info_name=name, parent=context))


def test_helps_do_not_speak_python() -> None:
    """No help of a command has words that only a programmer knows."""
    python = "None|True|False|self|callable|callback|dict|str|bool|mapping|models?|keyword|raise[sd]?"
    words = rf"`|\b({python})\b|\w_\w|(?<!-)\bclient\b(?!-)"
    texts = {spec.full_name: str(spec.help) for spec in COMMANDS if spec.effect != "reads" or not spec.takes_session}
    texts |= {f"{spec.full_name} {each.name}": str(each.help) for spec in METHOD_COMMANDS for each in spec.own_params}
    read = {where: re.sub(r"/_emulator|PINECONE_\w+", "", text) for where, text in texts.items()}
    assert {where: text for where, text in read.items() if re.search(words, text)} == {}
    assert [where for where, text in texts.items() if not text.endswith(".")] == []
