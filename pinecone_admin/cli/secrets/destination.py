"""Where the secrets of a command go: the one way from ``--store`` or ``--reveal`` to the places of all its secrets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pinecone_admin._text.counts import count_noun
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import BusyError, CLIError, StoreError, WrongPlaceError, is_full_disk
from pinecone_admin.cli.ledger import SecretEntry
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.new_secret import NewSecret, describe_secret
from pinecone_admin.cli.secrets.places import FilePlace, SecretPlace, Target, find_overlaps
from pinecone_admin.cli.secrets.standard_output import StandardOutput
from pinecone_admin.cli.secrets.store_template import PartError, StoreTemplate, parse_template
from pinecone_admin.cli.secrets.target_files import identify_file
from pinecone_admin.cli.sentences import join_sentences, list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows.readable_store import PlacedStore, SecretOwner, StoreByName

if TYPE_CHECKING:
    from pinecone_admin.cli.secrets.own_secret import OwnSecretFile

ResourceWithSecret: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret

_MOST_NAMED = 5


class RowOwner(NamedTuple):
    """The key or service account of a row of ``each``; its name is looked up only when the row runs.

    Attributes:
        kind: ``"api_key"`` or ``"service_account"``.
        number: The number of the row.
        values: Its values, by column.
    """

    kind: str
    number: int
    values: Mapping[str, str]


_Owner: TypeAlias = SecretOwner | RowOwner


class SecretDelivery:
    """The argument ``store`` of a method: passes the secret on, and knows whether it arrived.

    Args:
        place: Where the secret goes.
        session: The session.

    Attributes:
        place: Where the secret goes.
        undelivered: The secret, unless there is none or it is stored.
        entry: Its entry in the ledger, unless there is none.
        failure: Why it is not stored; its notes say what was undone.
        was_stored_before: Whether an earlier run has stored the secret of what this one goes on with.
    """

    def __init__(self, place: SecretPlace, session: Session) -> None:
        self._session = session
        self.place: SecretPlace = place
        self.undelivered: NewSecret | None = None
        self.entry: SecretEntry | None = None
        self.failure: Exception | None = None
        self.was_stored_before: bool = False

    @property
    def address(self) -> str | None:
        """Where the secret is stored, or None if there is none or it was shown."""
        is_stored = self.was_stored_before or (self.entry is not None and self.entry.state == "stored")
        return self.place.address if is_stored else None

    def __call__(self, new_secret: ResourceWithSecret, /) -> None:
        """Store the secret of what was made."""
        # A signal from here on would leave open whether the secret is stored, and raised here, it would let the
        # workflow delete a key whose value is stored. It waits until the context of ``select`` ends.
        self._session.interruptions.hold()
        self.was_stored_before = False
        self.undelivered = secret = describe_secret(new_secret)
        self.entry = SecretEntry(secret.label, secret.id)
        ledger = self._session.ledger
        ledger.secrets.append(self.entry)
        ledger.note_name(secret.id, secret.name)
        ledger.is_storing = True
        try:
            with self._session.pause_progress():  # a command may use the terminal itself
                self.place.write(secret)
        except Exception as error:
            self.failure = error
            raise
        finally:
            ledger.is_storing = False
        self.undelivered = None
        self.entry.state = "shown" if self._session.settings.get("reveal") else "stored"
        self.entry.place = self.place.address


class ReadableDelivery(SecretDelivery, PlacedStore):
    """A delivery to a place that can be read, so that a run goes on with what an earlier one has stored."""

    def check_unused(self) -> None:
        """Check that no other secret is at the place.

        Raises:
            CLIError: One is.
        """
        with refusing():
            self.place.check_vacant()

    def read(self, created: APIKey | ServiceAccount, /) -> str | None:
        """Return the secret at the place; of an account, only if its client id is beside it."""
        present = self.place.read()
        is_of_other = isinstance(created, ServiceAccount) and present.client_id != created.client_id
        found = None if is_of_other else present.value or None
        self.was_stored_before: bool = found is not None  # if it is not that of ``created``, another one is stored
        return found


class Destination(StoreByName):
    """The places of all secrets of a command: a template of ``--store``, or standard output.

    No two secrets of a run go to targets that overlap.

    Args:
        session: The session.
        makes: The secrets that the command makes.

    Attributes:
        session: The session.
        makes: The secrets.
        columns: The columns of the row of ``each`` that a place has in it.
        own_place: The file of the caller's profile, if the secret is that of the caller.

    Raises:
        CLIError: There is no place, or it can take none of these secrets.
    """

    def __init__(self, session: Session, makes: Secret) -> None:
        self.session: Session = session
        self.makes: Secret = makes
        store = session.settings.get("store")
        self._template: StoreTemplate | None = None
        if store is not None:
            self._template = parse_template(store, session.columns, example=show_example(makes))
        self.columns: set[str] = set() if self._template is None else self._template.placeholders & {*session.columns}
        self._output: StandardOutput | None = None
        self._told: set[str] = set()
        self.own_place: OwnSecretFile | None = None
        if session.settings.get("reveal"):
            if store is not None:
                raise CLIError("Give either --store or --reveal, not both.")
            self._output = StandardOutput(session, makes)
        # How many secrets a file needs is known only once it is compared with the organization.
        if not self.is_given and (makes.replaces or not makes.many) and not self.is_open:
            self._require_place(ask_for_place(makes))
        # A template can work for none of many keys, or only for one.
        if self._template is not None and makes.many and makes.replaces:
            if "name" not in self._template.placeholders:
                things = "service accounts" if makes.is_of_account else "keys"
                raise CLIError(
                    f"--store {self._template.text} is one place for all {things}, and each would replace the one "
                    f"before. {self._propose([self.unnamed_owner])}.",
                    says_if_unchanged=True,
                )
            with refusing():
                self._find_place(SecretOwner(makes.api_type, "" if makes.is_of_account else "x", "x"))

    def _require_place(self, question: str) -> None:
        """Raise CLIError with the question where secrets go; a dry run only says that its run asks it."""
        if not self.session.is_dry_run:
            raise CLIError(question, says_if_unchanged=self.makes.many)
        if not self.session.is_row:
            self.session.notify(f"Without --dry-run, the command needs a place for secrets. {question}")

    @property
    def is_given(self) -> bool:
        """Whether the command line says where secrets go; a dry run may leave it open."""
        return any(each is not None for each in (self._template, self._output, self.own_place))

    @property
    def spelling(self) -> str:
        """The option that says where secrets go, as a question shows it; empty if there is none."""
        if self._output is not None:
            return "--reveal"
        return "" if self._template is None else f"--store {self._template.spelling}"

    @property
    def is_open(self) -> bool:
        """Whether no place is given yet, and ``settle`` chooses it once it is known whose secret it is."""
        is_one = self.makes.is_irreversible and not self.makes.many and not self.is_given
        return is_one and self.session.command is not None and not self.session.command.takes_session

    def settle(self, *, is_of_caller: bool) -> None:
        """Choose the place of the new secret of one account, once it is known whose it is.

        Args:
            is_of_caller: Whether it is that of the account of this client.

        Raises:
            CLIError: There is no place, or the caller could not use the secret there.
        """
        if is_of_caller:
            from pinecone_admin.cli.secrets.own_secret import require_own_place  # noqa: PLC0415 - as above

            self.own_place = require_own_place(self.session)
            self.check([self.unnamed_owner])
        elif self.is_open:
            self._require_place(ask_for_place(self.makes))

    @property
    def unnamed_owner(self) -> SecretOwner:
        """The owner of a secret, as long as no place depends on its name."""
        return SecretOwner(self.makes.api_type, "", "")

    @property
    def is_readable(self) -> bool:
        """Whether the secrets can be read again."""
        return self._template is not None and self._template.form != "exec"

    @property
    def needs_owner(self) -> bool:
        """Whether a place depends on the name or the project of what its secret belongs to."""
        return self._template is not None and bool(self._template.placeholders - {"kind", *self.columns})

    def check(self, owners: Sequence[_Owner], may_be_stored: Collection[SecretOwner] = ()) -> None:
        """Check all that can be known before the first change.

        Args:
            owners: The keys and service accounts.
            may_be_stored: Those whose secrets an earlier run may have stored already.

        Raises:
            CLIError: A secret has no place, cannot be stored there, or would replace another one.
        """
        if not self.is_given:
            if owners and (self.makes.many and not self.makes.replaces):  # others were asked for at once
                example = _find_example({each.kind for each in owners})
                self._require_place(
                    f"This makes {count_noun(len(owners), 'secret')}, for {_list_or_count(owners)}. Say where "
                    f"{'they' if len(owners) > 1 else 'it'} should go, for example --store '{example}'."
                )
            return
        for problem in filter(None, self.find_obstacles(owners, may_be_stored)):
            raise refuse(problem)

    def find_obstacles(
        self, owners: Sequence[_Owner], may_be_stored: Collection[SecretOwner] = ()
    ) -> Sequence[StoreError | None]:
        """Return why each secret cannot be stored, or would replace another one; the arguments are those of ``check``.

        That something else is at a place is found only if all secrets have one.
        """
        problems = list(self._find_problems(owners))
        if any(problems):
            return problems
        return [self._find_occupation(each, is_new=each not in may_be_stored) for each in owners]

    def _find_occupation(self, owner: _Owner, *, is_new: bool) -> StoreError | None:
        if is_new and not self.makes.may_exist:
            try:
                self._find_place(owner).check_vacant()
            except StoreError as error:
                return error
        return None

    def tell_replacements(self, owners: Sequence[_Owner], *, makes_secret: Callable[[], bool] = lambda: True) -> None:
        """Say of each stored value that will be replaced if nothing shows whose it is; names are known by now.

        Args:
            owners: The keys and service accounts.
            makes_secret: Returns whether the run makes secrets at all; called only if there is something to say.
        """
        for place in map(self._find_place, owners) if self.is_given else ():
            remark = place.describe_replacement() if isinstance(place, FilePlace) else None
            if remark is not None and remark not in self._told and makes_secret():  # a question shows it before the run
                self._told.add(remark)
                self.session.notify(remark)

    def check_account(self, owner: SecretOwner, account_id: str) -> None:
        """Check that the new secret of a service account does not replace that of another one.

        Raises:
            CLIError: It would.
        """
        if not self.is_given:
            return
        with refusing():
            place = self._find_place(owner)
            if place.read().client_id:
                account = self.session.admin.service_accounts.describe(service_account_id=account_id)
                place.check_owner(account.client_id)

    def find_problems(self, owners: Sequence[SecretOwner], others: Sequence[SecretOwner]) -> list[str | None]:
        """Return why each secret cannot be stored, or would replace another one; None for one that can be stored.

        Args:
            owners: The keys and service accounts whose secrets will be made.
            others: Those whose stored secrets must stay as they are.
        """
        found = list(self._find_problems(owners, others)) if self.is_given else [None] * len(owners)
        if self._template is not None and not self._template.placeholders & {"project", "scope"}:
            # A key of this name in a project that the run does not list has the same place.
            self.tell_replacements([owner for owner, problem in zip(owners, found, strict=True) if problem is None])
        return [None if each is None else str(each) for each in found]

    @contextmanager
    def select(self, owner: SecretOwner) -> Generator[SecretDelivery, None, None]:
        """Return a context with the ``store`` of one secret, which ends once the secret is in the report.

        Once ``store`` is called, a signal interrupts at the end of the context, and until then at once.

        Raises:
            StoreError: It has no place, or another secret of this run has it.
        """
        place = self._find_place(owner)
        claimed, targets = self.session.claimed, place.targets()
        for each in targets:
            if any(each.overlaps(Target(each.resource, variable)) for variable in claimed.get(each.resource, ())):
                raise WrongPlaceError(
                    f"--store {place.address} is one place for two secrets of this run, and this one would replace the "
                    "one before",
                )
        for each in targets:
            claimed.setdefault(each.resource, set()).add(each.variable)
        with self.session.interruptions.held_by_one_secret():
            kind = ReadableDelivery if place.is_readable else SecretDelivery
            yield kind(place, self.session)

    def __call__(self, new_secret: ResourceWithSecret, /) -> None:
        """Store the secret of what was made."""
        if isinstance(new_secret, APIKeyWithSecret):
            project = self.session.admin.projects.describe(project_id=new_secret.key.project_id)
            owner = SecretOwner("api_key", project.name, new_secret.key.name)
        else:
            owner = SecretOwner("service_account", "", new_secret.service_account.name)
        with self.select(owner) as store:
            store(new_secret)

    def _fill(self, template: StoreTemplate, owner: _Owner) -> SecretPlace:
        kind = owner.kind.replace("_", "-")
        values: Mapping[str, str]
        if isinstance(owner, RowOwner):
            values = {"kind": kind, **owner.values}
        else:
            scope = owner.project if owner.kind == "api_key" else kind
            values = {"kind": kind, "scope": scope, "project": owner.project, "name": owner.name}
            values |= self.session.columns
        return template.find_place(
            values,
            allow_group=bool(self.session.settings.get("allow_group")),
            replaces=self.makes.replaces,
            is_for_account=owner.kind == "service_account",
            interruptions=self.session.interruptions,
        )

    def _find_place(self, owner: _Owner) -> SecretPlace:
        if self._output is not None:
            return self._output
        if self.own_place is not None:
            return self.own_place
        assert self._template is not None  # noqa: S101 - without both, nothing is made
        try:
            return self._fill(self._template, owner)
        except PartError as error:
            raise WrongPlaceError(self._describe_part(error, owner, self._template)) from error

    def _find_problems(
        self, owners: Sequence[_Owner], others: Sequence[SecretOwner] = ()
    ) -> Iterator[StoreError | None]:
        targets: list[Sequence[Target]] = []
        problems: list[StoreError | None] = []
        tried = set[object]()
        written = {identify_file(each) for each in self.session.written}
        for owner in owners:
            targets.append([])
            problems.append(None)
            try:
                place = self._find_place(owner)
            except StoreError as error:
                problems[-1] = error
                continue
            try:
                place.check(tried)
                if isinstance(owner, SecretOwner) and owner.client_id is not None:
                    place.check_owner(owner.client_id)
                targets[-1] = place.targets()
                if any(each.resource in written for each in targets[-1]):
                    raise WrongPlaceError(
                        f"{place.address} is a file that this command writes itself. Choose another one"
                    )
            except StoreError as error:
                problems[-1] = self._add_owner(error, owner)
        for owner in others:
            targets.append([])
            with suppress(StoreError):  # it is not stored now
                targets[-1] = self._find_place(owner).targets()
        both = [*owners, *others]
        clashes: dict[tuple[int, ...], StoreError] = {}
        for number, (problem, met) in enumerate(zip(problems, find_overlaps(targets), strict=False)):
            if problem is not None or met == (number,):
                yield problem
                continue
            if met not in clashes:
                order = [number, *(each for each in met if each != number)]  # the first one meets each of the others
                clashes[met] = self._describe_clash([both[each] for each in order])
            yield clashes[met]

    def _add_owner(self, error: StoreError, owner: _Owner) -> StoreError:
        """Return an error that also names the option and the secret."""
        option = "--reveal" if self._output is not None else "--store"
        about = f"{option}, for {_label(owner)}" if self.makes.many else option
        named = type(error)(f"{about}: {error}")
        named.__cause__ = error.__cause__
        return named

    def _describe_part(self, error: PartError, owner: _Owner, template: StoreTemplate) -> str:
        """Return what is wrong with a name that a place has in it, and a place that works."""
        if error.placeholder is None:
            rule = "is not the name of a variable, which has letters, digits and underscores"
            if self.columns:
                return f"--store: {error} {rule}"
            if not self.needs_owner:
                fixed = re.sub("^(?=[0-9])|[^A-Za-z0-9_]", "_", str(error))
                return f"--store: {error} {rule}. Name it {fixed}, for example"
            example = _find_example({owner.kind})
            return f"--store, for {_label(owner)}: {error} {rule}. Use --store '{example}', for example"
        if error.placeholder in self.columns:
            value = (owner.values if isinstance(owner, RowOwner) else self.session.columns)[error.placeholder]
            return f"--store: {quote_name(value)} {error}, so it cannot stand for {{{error.placeholder}}}"
        if owner.kind == "service_account" and error.placeholder == "project":
            fixed = template.text.replace("{project}", "{scope}")
            use = f"Use {{scope}} in place of {{project}}: --store '{fixed}'"
            return f"--store: {_label(owner)} has no project, so {{project}} is empty. {use}"
        project = owner.project if isinstance(owner, SecretOwner) and error.placeholder != "name" else None
        whose = _label(owner) if project is None else f"project {project}"
        # Of many secrets, no two may go to one command, whatever it reads.
        reads = template.form == "exec" and not self.makes.many
        use = ", or let the command read the name from its environment (help exec)" if reads else ""
        is_new = not self.makes.replaces and (self.makes.nested or project is None)
        without = f"a --store without {{{error.placeholder}}}"
        if self.makes.many:
            remedy = "Change that name first"
        elif is_new:
            remedy = f"Choose another name, or {without}"
        else:
            remedy = f"Choose {without}, or change that name first"
        unfit = f"{error}, so it cannot stand for {{{error.placeholder}}}"
        return f"--store: the name of {whose} {unfit}. {remedy}{use}"

    def _describe_clash(self, met: Sequence[_Owner]) -> StoreError:
        """Return what is wrong if several secrets have one place, and places that work."""
        places = [self._find_place(each) for each in met]
        if len({_label(each).casefold() for each in met}) == 1:
            labels = list(dict.fromkeys(map(_label, met)))
            named = f"{list_words(labels)}, which differ only in capitals"
            if len(labels) == 1:
                kind = "service account" if self.makes.is_of_account else "key"
                named = f"{count_noun(len(met), kind)} with the same name, {labels[0].removeprefix(f'{kind} ')}"
            return WrongPlaceError(f"--store {places[0].address} is one place for {named}. Rename one of them")
        named = _list_or_count(met)
        text = f"--store {places[0].address} is one place for {named}, and each would replace the one before"
        (shared, *_) = set(places[0].targets()).intersection(*(each.targets() for each in places[1:2]))
        if len({isinstance(each, FilePlace) and each.variable == shared.variable for each in places}) > 1:
            text = f"--store: {shared.variable} would be the client id of one of {named}, and the secret of the other"
        return WrongPlaceError(f"{text}. {self._propose(met)}")

    def _propose(self, owners: Sequence[_Owner]) -> str:
        """Return how a template tells secrets apart."""
        if isinstance(owners[0], RowOwner):
            return "Put a column in it that tells them apart"
        example = _find_example({each.kind for each in owners})
        wanted = parse_template(example).placeholders
        given = set[str]() if self._template is None else self._template.placeholders
        if ("project" if any(each.kind == "api_key" for each in owners) else "kind") in given:
            given = given | {"scope"}  # which would have the same value
        if self._template is None or wanted <= given:
            return "Rename one of them"
        names = [f"{{{name}}}" for name in sorted(wanted, reverse=True)]
        if self._template.form == "exec":
            example = f"{self._template.text} {' '.join(each for each in names if each not in self._template.text)}"
        return f"Put {list_words(names)} in it, for example --store {shlex.quote(example)}"


def _find_example(kinds: Collection[str]) -> str:
    """Return a template for secrets of these kinds."""
    return f"file:{{scope}}-{{name}}.{'json' if {*kinds} == {'service_account'} else 'key'}"


def show_example(makes: Secret) -> str:
    """Return a value of ``--store`` for the secrets of a command, as a shell reads it."""
    if makes.many:  # what makes them without replacing any makes both kinds
        return f"'{_find_example({makes.api_type} if makes.replaces else {'api_key', 'service_account'})}'"
    return f"env-file:.env#{'PINECONE_CLIENT_SECRET' if makes.is_of_account else 'PINECONE_API_KEY'}"


def ask_for_place(makes: Secret) -> str:
    """Return the question where the secrets of a command go."""
    example = show_example(makes)
    if makes.many:
        return f"Each secret is shown only once. Say where they should go, for example --store {example}."
    return (
        f"The secret is shown only once. Say where it should go with --store (for example --store {example}), or print "
        "it with --reveal."
    )


@contextmanager
def refusing() -> Generator[None, None, None]:
    """Turn a StoreError into the error of a command that has changed nothing."""
    try:
        yield
    except StoreError as error:
        raise refuse(error) from error


def refuse(error: StoreError) -> CLIError:
    """Return the error of a command that ends because a secret has no place, before it changes anything."""
    cause: Exception | type[Exception] = WrongPlaceError
    if isinstance(error, BusyError):
        cause = BusyError
    elif isinstance(error.__cause__, OSError) and is_full_disk(error.__cause__):
        cause = error.__cause__
    return CLIError(join_sentences([str(error)]), cause=cause, says_if_unchanged=True)


def _label(owner: _Owner) -> str:
    if isinstance(owner, RowOwner):
        return f"row {owner.number}"
    if owner.kind == "api_key":
        return f"key {owner.project}/{owner.name}" if owner.project else f"key {owner.name}"
    return f"service account {owner.name}"


def _list_or_count(owners: Sequence[_Owner]) -> str:
    if len(owners) <= _MOST_NAMED:
        return list_words(map(_label, owners))
    if isinstance(owners[0], RowOwner):
        return count_noun(len(owners), "row")
    kinds = {each.kind for each in owners}
    noun = "secret" if len(kinds) > 1 else "key" if kinds == {"api_key"} else "service account"
    return count_noun(len(owners), noun)
