"""Run a command that calls one method of the client: the way from what was typed to the output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from functools import cached_property, partial
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import click
from attrs import evolve

from pinecone_admin import Admin, Operation, Paginator
from pinecone_admin._concurrency.waiting import COMPLETION_TIMEOUT, complete_if_interrupted
from pinecone_admin._text.counts import count_noun
from pinecone_admin.cli.calls.clients import WouldSend
from pinecone_admin.cli.calls.naming import NameLookup, Thing
from pinecone_admin.cli.failures import CLIError, describe_refusal, find_exit_code, find_exit_code_of_report
from pinecone_admin.cli.output.progress import count_items, show_progress
from pinecone_admin.cli.output.writing import warning_beside, write_items, write_preview, write_value
from pinecone_admin.cli.parameters import PrincipalOption, Reference, Secret, WantedRole, check_role, resolve
from pinecone_admin.cli.sentences import list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import NotFoundError, RefusedError
from pinecone_admin.models import RoleBinding

if TYPE_CHECKING:
    from pinecone_admin.cli.commands import Command
    from pinecone_admin.cli.secrets.destination import Destination, SecretDelivery
    from pinecone_admin.workflows import Difference, Progress
    from pinecone_admin.workflows.changes import Step
    from pinecone_admin.workflows.readable_store import SecretOwner

_LARGEST_PAGE = 100


class Call:
    """One call of a method: what the function of a command gets.

    Args:
        session: The session.
        command: The command.

    Attributes:
        session: The session.
        command: The command.
        admin: The client.
        names: Finds things by their names.
        found: The resources that the command line names, by id.
        own: The thing that the command is about, if it exists already.
        principal: The principal of a role, if the command is about a role.
        notes: Sentences on what else the change affects, which the question and the dry run show.
        is_dry_run: Whether nothing may be changed.
        page_size: How many things a page needs to have, or None for the server's choice.
        destination: Where the secrets go that the method makes; None if it makes none.
        store: Takes the secret that the method makes; a dry run makes none.
        progress: The function that a workflow calls after each step.
        begun: The report of the workflow, once it has begun; one that was interrupted has what was done until then.
        fails_on_difference: Whether a thing that exists with other settings lets the command end with exit code 8.
        leaves_differences: Whether such a thing keeps its settings.
    """

    def __init__(self, session: Session, command: Command) -> None:
        self.session: Session = session
        self.command: Command = command
        self.admin: Admin = session.admin
        self.names: NameLookup = session.names
        self.found: dict[str, Thing] = {}
        self.own: Thing | None = None
        self.principal: Thing | None = None
        self.notes: list[str] = []
        self.is_dry_run: bool = session.is_dry_run
        most: int | None = session.settings.get("limit")
        self.page_size: int | None = None if most is None else min(most, _LARGEST_PAGE)
        self.destination: Destination | None = None
        self.store: Callable[[Any], object] = str  # only a dry run without --store keeps it, and never calls it
        self.progress: Callable[[Progress], object] | None = None
        self.begun: list[object] = []
        self.fails_on_difference: bool = False
        self.leaves_differences: bool = any(each.name == "on_difference" for each in command.own_params)

    def find(self, noun: str, text: str, *, project: str | None = None) -> Thing:
        """Return the thing that an id or a name means, as ``NameLookup.find`` does, and remember it."""
        return self.remember(self.names.find(noun, text, project=project))

    def remember(self, thing: Thing) -> Thing:
        """Return a thing; what is said of it from now on has its name, too."""
        self.found[thing.id] = thing
        self.session.ledger.note_name(thing.id, thing.name)
        return thing

    @cached_property
    def concerns_caller(self) -> bool:
        """Whether the command is about the account that it uses itself, or about a role of it."""
        subject = self.own or self.principal
        if not self.command.own_warning or subject is None or subject.noun not in {"service-account", "role-binding"}:
            return False
        from pinecone_admin.cli.identity.caller import is_of_caller  # noqa: PLC0415 - loads what few commands need

        with show_progress(self.session, "looking up the caller"):
            return is_of_caller(self.admin, subject.noun, subject.id, caller=self.session.account)


def run_command(session: Session, command: Command, typed: Mapping[str, Any]) -> None:
    """Run a command that calls a method.

    Args:
        session: The session.
        command: The command.
        typed: Values of its parameters, without those that were left out.
    """
    # Commands that change something or create a secret load twice as many modules as a list.
    if command.effect != "reads":
        from pinecone_admin.cli.calls.confirmation import require_change_allowed  # noqa: PLC0415 - as above

        require_change_allowed(session)
    check_values(session, command, typed)
    destination = None if command.makes is None else _open_destination(session, command.makes)
    call = Call(session, command)
    call.destination = destination
    with show_progress(session, "looking up names"):
        arguments = _look_up_names(call, typed)
    owner = None if destination is None else _check_owner(call, destination, arguments)
    planned: Any = None
    if command.effect != "reads":
        from pinecone_admin.cli.calls.confirmation import confirm_change, is_question_open  # noqa: PLC0415 - as above

        if command.lists_planned and is_question_open(session):
            planned = _read_planned(call, arguments)
        if planned is None or any(step.state == "planned" for step in planned.steps):
            confirm_change(call, typed, arguments, planned=() if planned is None else _list_planned(call, planned))
            planned = None
    # A run that has nothing to do is not asked about, and its report is that of the dry run.
    unneeded = None if planned is None else evolve(planned, dry_run=False)
    function = partial(_call_function, call, arguments) if unneeded is None else lambda: unneeded
    try:
        if destination is None or owner is None or session.is_dry_run:
            result = _call(call, function, owner)
        else:
            result = _call_secret_maker(call, destination, owner, function)
    except WouldSend as stopped:
        _preview(call, stopped.operation)
        return
    _report_differences(call, result)
    steps: Sequence[Any] = getattr(result, "steps", ())
    if any(getattr(each, "state", "") == "skipped" for each in steps):
        from pinecone_admin.cli.reports.inventory_report import end_with_missing  # noqa: PLC0415 - few runs need it
        from pinecone_admin.workflows.guard import OWN_ACCOUNT  # noqa: PLC0415 - as above

        kept = [each.change for each in steps if each.state == "skipped" and each.change.reason == OWN_ACCOUNT]
        roles = [str(role) for change in kept if change.action == "revoke" for role in change.roles]
        because = "because the command uses this account itself"
        end_with_missing(session, "Not revoked", [f"{role}, {because}" for role in roles])
    refusal: str | None = getattr(result, "refusal", None)
    if session.is_dry_run and refusal:
        session.warn(describe_refusal(refusal))
        session.exit_code = find_exit_code(RefusedError)
    failed: Sequence[Any] = getattr(result, "failed", ())
    if failed:
        session.warn(f"Not everything was done. The output has {count_noun(len(failed), 'reason')}.")
        codes = [each.help_code for each in failed]
        session.exit_code = find_exit_code_of_report(codes, session.ledger)


def _read_planned(call: Call, arguments: Mapping[str, Any]) -> Any:
    """Return the report of the dry run, for a question before the run."""
    report = _try_function(call, arguments, "reading what is due")
    call.names.add_names(report, call.found.values())
    return report


def _list_planned(call: Call, report: Any) -> list[str]:
    """Return for a question the lines of the report of a dry run, without the last one: nothing was changed."""
    from pinecone_admin.cli.calls.confirmation import list_first  # noqa: PLC0415 - only a question needs it
    from pinecone_admin.cli.output.report_lines import list_lines  # noqa: PLC0415 - as above

    lines = list_lines(report, call.session.ledger, is_dry_run=True)
    planned = lines[:-1] if report.dry_run else lines
    return list_first(planned, len(planned))


def _try_function(call: Call, arguments: Mapping[str, Any], title: str) -> Any:
    """Return the report of a dry run of the function of a command, before the run or the dry run of the command."""
    session, trial = call.session, copy(call)
    trial.is_dry_run, trial.begun = True, []
    if call.destination is not None and call.destination.is_given:
        trial.store = call.destination
    claimed, session.claimed = session.claimed, {}
    try:
        with show_progress(session, title):
            return call.command.function(trial, **arguments)
    finally:
        session.claimed = claimed


def _makes_secret(call: Call, arguments: Mapping[str, Any]) -> bool:
    """Return whether a run would make a secret, and not only go on with what an earlier run has stored."""
    if not call.command.is_workflow:
        return True
    report = _try_function(call, arguments, "reading what an earlier run has done")
    return any(step.change.makes_secret for step in report.steps)


def _preview(call: Call, operation: Operation[Any]) -> None:
    """Show the change that a run would send as a step, with the names and the values that it is about."""
    from pinecone_admin.workflows.change_operations import read_change  # noqa: PLC0415 - only a dry run needs it
    from pinecone_admin.workflows.changes import Step  # noqa: PLC0415 - as above

    with show_progress(call.session, "reading what is there"):
        present = None if call.own is None else call.names.read(call.own)
    found = call.names.describe_all(call.found.values())
    names = {each.id: each.name for each in found if each.name is not None}
    if isinstance(present, RoleBinding):
        from pinecone_admin.cli.calls.binding_names import name_binding  # noqa: PLC0415 - as above

        named = name_binding(call.admin, present)
        known = {present.principal_id: named.principal_name, present.resource_id: named.resource_name}
        names |= {id: name for id, name in known.items() if name is not None}
    change = call.session.ledger.add_parts(read_change(operation, names, present))
    planned = SimpleNamespace(steps=[Step(change=change, state="planned")])
    _require_accepted(call, planned.steps)
    call.names.add_names(planned, found)
    write_preview(call.session, planned.steps, found, notes=call.notes)


def _require_accepted(call: Call, planned: Sequence[Step]) -> None:
    from pinecone_admin.cli.calls.preconditions import require_accepted  # noqa: PLC0415 - only a dry run needs it

    with show_progress(call.session, "reading what the server would refuse"):
        require_accepted(call, planned)


def _report_differences(call: Call, result: object) -> None:
    """Say what differs, unless the output does: a query or a secret leaves it out, and JSON is not for people.

    Of provisioning, it is about the key.
    """
    ensured = result if hasattr(result, "differences") else getattr(result, "key", None)
    differences: Sequence[Difference] = getattr(ensured, "differences", ())
    steps: Sequence[object] = getattr(ensured, "steps", ())
    session = call.session
    is_alone = session.settings.get("reveal") and not session.is_dry_run  # the secret and what has it
    is_table = session.output == "table" and not session.settings.get("query")
    is_shown = ensured is result and is_table and not is_alone
    if differences and call.fails_on_difference:
        details = "" if is_shown else " and ".join(map(str, differences))
        session.fail_on(count_noun(len(differences), "difference"), details)
    elif differences and not steps:
        thing = "It" if ensured is result else "The API key"
        if advice := _advise_on_roles(call, differences):
            session.notify(advice)
        elif not is_shown:
            details = ", ".join(map(str, differences))
            remedy = " To change them, add --if-different update." if call.leaves_differences else ""
            session.notify(f"{thing} exists with other settings, which were not changed ({details}).{remedy}")


def _advise_on_roles(call: Call, differences: Sequence[Difference]) -> str:
    """Return how roles that were not asked for are revoked, if nothing else differs; otherwise an empty text."""
    (first, *others) = differences
    found, wanted = first.found, first.wanted
    can_revoke = any(each.name == "revoke_unlisted" for each in call.command.own_params)
    if can_revoke and not others and isinstance(found, tuple) and isinstance(wanted, tuple) and {*wanted} < {*found}:
        further = [each for each in found if each not in wanted]
        option = f"{'--if-different update ' if call.leaves_differences else ''}--revoke-others"
        stay, them = ("stays", "it") if len(further) == 1 else ("stay", "them")
        return f"There is also {list_words(further)}, which {stay}. To revoke {them}, add {option}."
    return ""


def check_before_questions(session: Session, command: Command, given: Collection[str]) -> None:
    """Raise CLIError if a command is refused whatever is answered to its questions for missing values.

    Args:
        session: The session, with the options that can make it read-only.
        command: The command.
        given: The names of the parameters that the command line has.
    """
    if command.effect != "reads" and not command.effect_with:  # with a value that is missing, it may only read
        from pinecone_admin.cli.calls.confirmation import require_change_allowed  # noqa: PLC0415 - see run_command

        require_change_allowed(session)
    check_principals(command, given)
    makes = command.makes
    if makes is not None and command.lacks_place(given):
        from pinecone_admin.cli.secrets.destination import ask_for_place  # noqa: PLC0415 - see run_command

        raise CLIError(ask_for_place(makes), says_if_unchanged=makes.many)


def check_principals(command: Command, given: Collection[str]) -> list[PrincipalOption]:
    """Return the options for a principal that the command line has.

    Raises:
        CLIError: There are several, or there is none, although the command needs one.
    """
    principals = [each for each in command.own_params if isinstance(each, PrincipalOption)]
    chosen = [each for each in principals if each.name in given]
    if principals and (len(chosen) > 1 or (not chosen and command.effect != "reads")):
        question = "Give only one of" if chosen else "Whose role is it? Give one of"
        raise CLIError(f"{question} {list_words(each.opts[0] for each in principals)}.")
    return chosen


def check_values(session: Session, command: Command, typed: Mapping[str, Any]) -> None:
    """Raise CLIError if values that click took do not fit one another."""
    chosen = check_principals(command, typed)
    has_principal = any(isinstance(each, PrincipalOption) for each in command.own_params)
    for param in command.own_params:
        if has_principal and isinstance(role := typed.get(str(param.name)), WantedRole):
            check_role(param, role, is_of_key="api_key" in typed)
    if chosen and "scope" in session.settings and "api_key" not in typed and command.effect != "reads":
        raise CLIError(
            "--project says where an API key is. For a role on a project, write --role PROJECT:ROLE, such as --role "
            "search:ProjectEditor."
        )


def _look_up_names(call: Call, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the function of a command.

    Raises:
        CLIError: Nothing has a name, or several things have it.
    """
    scope: Reference | None = call.session.settings.get("scope")
    project = None if scope is None else scope.resolve(call)
    arguments: dict[str, Any] = {}
    # A key comes first: the project of its role is that of the key.
    order = sorted(call.command.own_params, key=lambda each: "api_key" in typed and each.name != "api_key")
    for param in order:
        name = str(param.name)
        value = typed.get(name)
        if isinstance(param, click.Argument) and isinstance(value, Reference):
            call.own = value.find(call, project=project)
            arguments[name] = call.own.id
            is_renamed = typed.get("name") not in {None, value.text} and value.text != call.own.id
            if is_renamed or call.command.effect == "deletes":
                call.session.ledger.vanishing = call.own.id
        elif isinstance(param, PrincipalOption) and value is not None:
            arguments["principal"] = call.principal = value.find(call, project=project)
        elif value is not None:
            arguments[name] = [resolve(call, part) for part in value] if param.multiple else resolve(call, value)
    return arguments


def _open_destination(session: Session, makes: Secret) -> Destination:
    """Return where secrets go, after checks of all that is known before the first request."""
    from pinecone_admin.cli.secrets.destination import Destination  # noqa: PLC0415 - see run_command

    destination = Destination(session, makes)
    if not (makes.many or destination.needs_owner or destination.is_open):
        destination.check([destination.unnamed_owner])
    return destination


def _check_owner(call: Call, destination: Destination, arguments: Mapping[str, Any]) -> SecretOwner | None:
    """Return what the secret belongs to, after checks of its place; None if there are many secrets."""
    makes = destination.makes
    if makes.many:
        return None
    if makes.is_irreversible and not call.session.is_row:  # of a row, what concerns the caller is refused anyway
        destination.settle(is_of_caller=call.concerns_caller)
    owner = destination.unnamed_owner
    if destination.needs_owner:
        owner = _find_owner(call, makes, arguments)
        destination.check([owner])
    if makes.is_irreversible and call.own is not None:
        destination.check_account(owner, call.own.id)
    if call.own is not None and destination.is_given:  # an id was not looked up yet, and may be that of nothing
        call.own = call.remember(call.names.describe(call.own))
    destination.tell_replacements([owner], makes_secret=partial(_makes_secret, call, arguments))
    return owner


def _find_owner(call: Call, makes: Secret, arguments: Mapping[str, Any]) -> SecretOwner:
    from pinecone_admin.workflows.name_tags import MAX_NAME_LENGTH, original_name  # noqa: PLC0415 - see run_command
    from pinecone_admin.workflows.readable_store import SecretOwner  # noqa: PLC0415 - as above

    admin, own = call.admin, call.own
    if own is not None and makes.is_of_account:
        account = admin.service_accounts.describe(service_account_id=own.id)
        return SecretOwner(makes.api_type, "", account.name)
    if own is not None:
        key = admin.api_keys.describe(api_key_id=own.id)
        project = admin.projects.describe(project_id=key.project_id)
        return SecretOwner(makes.api_type, project.name, original_name(key.name))
    name = str(arguments["name"])
    if makes.nested:
        return SecretOwner(makes.api_type, name, name[:MAX_NAME_LENGTH])
    if makes.is_of_account:
        return SecretOwner(makes.api_type, "", name)
    project = admin.projects.describe(project_id=arguments["project_id"])
    return SecretOwner(makes.api_type, project.name, name)


def _call_function(call: Call, arguments: Mapping[str, Any]) -> object:
    """Call the function of a command, and add names to the report of a workflow."""
    result = call.command.function(call, **arguments)
    if call.command.is_workflow:
        call.session.ledger.is_complete = True  # what follows only reads
        if call.is_dry_run:
            _require_accepted(call, cast("Any", result).steps)
            call.found = {each.id: each for each in call.names.describe_all(call.found.values())}
        call.names.add_names(result, call.found.values())
    return result


def _call(call: Call, function: Callable[[], object], owner: SecretOwner | None) -> object:
    command, session = call.command, call.session
    with ExitStack() as selected:
        if call.destination is not None and call.destination.is_given:
            from pinecone_admin.cli.secrets.destination import refusing  # noqa: PLC0415 - see run_command

            call.store = call.destination
            if owner is not None:
                with refusing():
                    call.store = selected.enter_context(call.destination.select(owner))
            makes = call.destination.makes
            if makes.many and makes.is_irreversible and not call.is_dry_run:
                from pinecone_admin.cli.secrets.delivery import keep_handed_out  # noqa: PLC0415 - see run_command

                selected.enter_context(keep_handed_out(call.session, makes))
        try:
            with show_progress(session, command.full_name) as call.progress:
                # A single change is waited for if it is interrupted; a workflow can take long, and can be run again. A
                # command that makes a secret comes here only for its dry run.
                if command.effect == "reads" or command.is_workflow or command.makes is not None:
                    result = function()
                else:
                    result = complete_if_interrupted(function, COMPLETION_TIMEOUT)
        except BaseException:
            effects = session.ledger.effects
            for report in call.begun if effects.remaining or effects.undone else ():
                with warning_beside(session):
                    _write_result(call, report)
            raise
        session.ledger.is_complete = True
        _write_result(call, result)
        return result


def _call_secret_maker(call: Call, destination: Destination, owner: SecretOwner, function: Callable[[], Any]) -> object:
    """Call a method that makes a secret.

    Ensure, provision and rotate get ``call.store`` and call it themselves; only a plain create returns the secret.
    """
    from pinecone_admin.cli.secrets.delivery import (  # noqa: PLC0415 - see run_command
        create_and_deliver,
        make_secret_and_write_result,
    )

    def call_method(delivery: SecretDelivery) -> object:
        call.store = delivery
        makes = destination.makes
        return create_and_deliver(call.session, makes, delivery, function) if makes.is_new else function()

    if (own_place := destination.own_place) is not None and call.own is not None:
        from pinecone_admin.cli.secrets.destination import refusing  # noqa: PLC0415 - see run_command
        from pinecone_admin.cli.secrets.own_secret import adding_remedy_note, try_own_secret  # noqa: PLC0415 - as above

        account = call.own.name or call.own.id
        with refusing(), own_place.reserved(), adding_remedy_note(call.session, own_place, account):
            created = make_secret_and_write_result(destination, owner, call.command.full_name, call_method)
        try_own_secret(call.session, own_place, account)
        return created
    return make_secret_and_write_result(destination, owner, call.command.full_name, call_method)


def _write_result(call: Call, result: object) -> None:
    session = call.session
    if result is False:
        session.exit_code = find_exit_code(NotFoundError)
    if isinstance(result, list | Paginator | Generator):
        items: Iterable[object] = islice(cast("Iterable[object]", result), session.settings.get("limit"))
        if session.output == "table":  # which is written when all of it is known
            with show_progress(session, call.command.full_name) as advance:
                items = list(count_items(items, advance))
        write_items(session, items)
    elif session.is_dry_run:
        found = call.names.describe_all(call.found.values())
        write_preview(session, cast("Any", result).steps, found, report=result, notes=call.notes)
    elif result is None:
        id = str(session.ledger.changes[-1].target)
        write_value(session, {"done": call.command.full_name, "id": id, "name": session.ledger.names.get(id)})
    else:
        write_value(session, result)
