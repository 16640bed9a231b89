"""Call the methods that make a secret, so that it is stored, shown or rescued, or its owner is deleted again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import evolve

from pinecone_admin._sync.workflows.rollback import Rollback
from pinecone_admin.cli.ending import has_undone
from pinecone_admin.cli.exit_codes import TRY_LATER, USAGE
from pinecone_admin.cli.failures import CLIError, read_notes
from pinecone_admin.cli.ledger import SecretEntry
from pinecone_admin.cli.output.documents import build_document
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.registry import CommandSpec
from pinecone_admin.cli.secrets.new_secret import NewSecret, describe_secret
from pinecone_admin.cli.secrets.options import find_store, is_for_account
from pinecone_admin.cli.secrets.rescue import RescueFile, keep_response, rescue_folders, reserve_rescue_file
from pinecone_admin.cli.secrets.store_error import StoreError
from pinecone_admin.cli.secrets.stores import ReadableFileStore, SecretStore
from pinecone_admin.errors import NotFoundError, PineconeError, ResponseParsingError, SecretNotStoredError
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, Provisioned, Rotation
from pinecone_admin.workflows.name_tags import digest_value
from pinecone_admin.workflows.readable_store import ReadableStore

if TYPE_CHECKING:
    from pinecone_admin import Admin
    from pinecone_admin.cli.session import Session

_Made: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret

_ROTATES_ACCOUNT = "service_accounts.rotate_secret"
_MAKE_SECRETS = {"create_api_key", "create_service_account", "rotate_service_account_secret", "send"}
_NOUNS = {"api-key": "a new API key", "service-account": "a new service account"}


class SecretDelivery:
    """The ``store`` of a command: passes the secret on, and knows whether it arrived.

    Args:
        store: Where the secret goes.
        session: The session; from the delivery on, its command runs to its end.

    Attributes:
        undelivered: The secret, unless there is none or it is stored.
        entry: Its entry in the ledger, unless there is none.
        failure: Why it is not stored; its notes say what was undone.
        was_stored_before: Whether an earlier run has stored the secret of what this one goes on with.
    """

    def __init__(self, store: SecretStore, session: Session) -> None:
        self._store, self._session = store, session
        self.undelivered: NewSecret | None = None
        self.entry: SecretEntry | None = None
        self.failure: Exception | None = None
        self.was_stored_before: bool = False

    def __call__(self, made: _Made) -> None:
        """Store the secret of what was made."""
        # A signal from here on would leave open whether the secret is stored.
        self._session.interruptions.hold()
        self.undelivered = secret = describe_secret(made)
        self.entry = SecretEntry(str(secret), secret.id)
        self._session.ledger.secrets.append(self.entry)
        try:
            with self._session.pause_progress():  # the store may use the terminal itself
                self._store.store(secret)
        except Exception as error:
            self.failure = error
            raise
        self.undelivered = None
        self.entry.state = "shown" if self._session.settings.get("reveal") else "stored"


class ReadableDelivery(SecretDelivery, ReadableStore):
    """The ``store`` of a command whose place can be read, so that a run goes on with what an earlier one has stored.

    Args:
        store: Where the secret goes.
        session: The session.
    """

    def __init__(self, store: ReadableFileStore, session: Session) -> None:
        super().__init__(store, session)
        self._readable = store

    def check_unused(self) -> None:
        """Check that no other secret is at the place.

        Raises:
            CLIError: One is.
        """
        try:
            self._readable.check_unused()
        except StoreError as error:
            raise CLIError(f"--store: {error}", says_if_unchanged=True) from error

    def holds_key(self, value_digest: str) -> bool:
        """Return whether the value of a key is at the place, by its digest."""
        value = self._readable.read_present().value
        self.was_stored_before: bool = bool(value) and digest_value(value) == value_digest
        return self.was_stored_before

    def holds_account(self, client_id: str) -> bool:
        """Return whether the secret of a service account is at the place, by its client id."""
        present = self._readable.read_present()
        self.was_stored_before = bool(present.value) and present.client_id == client_id
        return self.was_stored_before


def make_delivery(session: Session, spec: CommandSpec) -> SecretDelivery:
    """Return the ``store`` of a command, as its options say."""
    store = find_store(session, spec)
    return ReadableDelivery(store, session) if isinstance(store, ReadableFileStore) else SecretDelivery(store, session)


def make_secret(
    session: Session, spec: CommandSpec, method: Callable[..., Any], arguments: Mapping[str, Any]
) -> object:
    """Call the method that makes a secret, write the result, and return it.

    Raises:
        CLIError: The secret was not stored; the message says whether it was rescued or its key deleted.
    """
    delivery = make_delivery(session, spec)
    check_account(session, spec, arguments.get("service_account_id"))
    with _reserved_rescue(spec) as rescue, show_progress(session, spec.name):
        try:
            result = _call(session, spec, method, arguments, delivery)
        except BaseException as error:
            if delivery.undelivered is None or delivery.entry is None:
                if isinstance(error, ResponseParsingError) and error.operation in _MAKE_SECRETS:
                    keep_response(error, rescue)
                raise
            if rescue is not None or _may_exist(session, delivery.undelivered):
                _keep_secret(delivery.undelivered, delivery.entry, rescue)
            raise _explain_failure(delivery) from None
    session.ledger.is_complete = True
    _write_result(session, spec, delivery, result)
    return result


def preview_secret(
    session: Session, spec: CommandSpec, method: Callable[..., Any], arguments: Mapping[str, Any]
) -> object:
    """Call the method with a dry run, or on a client that sends no changes."""
    check_account(session, spec, arguments.get("service_account_id"))
    if not _takes_store(method):
        return method(**arguments)
    return method(**arguments, store=make_delivery(session, spec) if "store" in session.settings else str)


def check_account(session: Session, spec: CommandSpec, account_id: str | None) -> None:
    """Check that the secret of an account that is rotated does not replace that of another one.

    Args:
        session: The session.
        spec: The command.
        account_id: Id of the service account, if it exists already.

    Raises:
        CLIError: It would.
    """
    if spec.methods[0] != _ROTATES_ACCOUNT or "store" not in session.settings or account_id is None:
        return
    store = find_store(session, spec)
    if isinstance(store, ReadableFileStore) and store.read_present().client_id:
        try:
            store.check_replaceable(session.admin.service_accounts.describe(service_account_id=account_id).client_id)
        except StoreError as error:
            raise CLIError(f"--store: {error}", says_if_unchanged=True) from error


def _takes_store(method: Callable[..., Any]) -> bool:
    return "store" in signature(method).parameters


def _call(
    session: Session,
    spec: CommandSpec,
    method: Callable[..., Any],
    arguments: Mapping[str, Any],
    delivery: SecretDelivery,
) -> object:
    if _takes_store(method):
        return method(**arguments, store=delivery)
    made: _Made
    if spec.methods[0] == _ROTATES_ACCOUNT:
        session.interruptions.hold()  # from here on, an interruption could lose the secret
        made = method(**arguments)
        delivery(made)
        return made
    with Rollback(session.admin) as rollback:
        made = rollback.create(_NOUNS[spec.secret], lambda: method(**arguments), _undo)
        delivery(made)
    return made


def _undo(made: _Made) -> tuple[str, Callable[[Admin], None]]:
    secret = describe_secret(made)
    return str(secret), lambda admin: _delete(admin, secret)


def _delete(admin: Admin, secret: NewSecret) -> None:
    if secret.kind == "api-key":
        admin.api_keys.delete(api_key_id=secret.id)
    else:
        admin.service_accounts.delete(service_account_id=secret.id)


@contextmanager
def _reserved_rescue(spec: CommandSpec) -> Generator[RescueFile | None, None, None]:
    """Reserve a rescue file for a secret whose making cannot be undone, and delete it if it stays empty."""
    if spec.methods[0] != _ROTATES_ACCOUNT:
        yield None
        return
    try:
        rescue = reserve_rescue_file(rescue_folders())
    except StoreError as error:
        raise CLIError(str(error), says_if_unchanged=True) from error
    try:
        yield rescue
    finally:
        if not rescue.is_used:
            rescue.discard()


def _explain_failure(delivery: SecretDelivery) -> CLIError:
    """Return the error that says why a secret was not stored, and what was undone; the ledger adds what remains."""
    message = "; ".join([str(delivery.failure), *read_notes(delivery.failure)])
    return CLIError(message, exit=_exit_of(delivery.failure), help_code=SecretNotStoredError.help_code)


def _exit_of(failure: Exception | None) -> int:
    if isinstance(failure, CLIError):  # such as a query that does not fit
        return failure.exit
    return USAGE if isinstance(failure, StoreError) and failure.is_wrong_place else TRY_LATER


def _keep_secret(secret: NewSecret, entry: SecretEntry, rescue: RescueFile | None) -> None:
    try:
        rescue = rescue or reserve_rescue_file(rescue_folders())
        rescue.write(secret.to_json())
    except StoreError as error:
        entry.state, entry.place = "lost", str(error)
    else:
        entry.state, entry.place = "rescued", str(rescue.path)


def _may_exist(session: Session, secret: NewSecret) -> bool:
    """Return whether what a secret belongs to may still exist, as the ledger or else a read shows."""
    admin, ledger = session.admin, session.ledger
    if has_undone(ledger, secret.id):
        return False
    try:
        if secret.kind == "api-key":
            admin.api_keys.describe(api_key_id=secret.id)
        else:
            admin.service_accounts.describe(service_account_id=secret.id)
    except NotFoundError as error:
        if error.error_code is not None:
            ledger.gone.add(secret.id)
        return error.error_code is None
    except PineconeError:
        return True
    return True


def _write_result(session: Session, spec: CommandSpec, delivery: SecretDelivery, result: object) -> None:
    if delivery.was_stored_before:
        session.notify("no new secret was made: an earlier run stored it, and this one finished the work")
    elif delivery.entry is None:
        session.notify("no new secret was made, and that of what exists cannot be shown again")
    if isinstance(result, Rotation) and session.output == "table":
        session.notify(_describe_old_key(result))
    if not session.settings.get("reveal"):
        session.write(_without_secret(result))
    elif delivery.entry is None:
        session.write(
            "" if session.output == "raw" else _describe_absence(spec, result, for_people=session.output == "table")
        )


def _describe_old_key(rotation: Rotation) -> str:
    old = f"the old key {rotation.replaced}"
    if rotation.delete_after is None:
        return f"{old} was deleted"
    due = f"{rotation.delete_after:%Y-%m-%d %H:%M} UTC"
    return f"{old} works until it is deleted: run pinecone-admin api-key delete-retired after {due}"


def _describe_absence(spec: CommandSpec, result: object, *, for_people: bool) -> dict[str, Any]:
    """Return the document of a revealed secret with null in its place, and after that what was done."""
    document = build_document(_without_secret(result), for_people=for_people)
    outcome: dict[str, Any] = {
        name: document.pop(name) for name in ("created", "differences", "steps") if name in document
    }
    return {**document, "client_secret" if is_for_account(spec) else "value": None, **outcome}


def _without_secret(result: Any) -> Any:
    """Return a result with the key or account alone, in the place of one with its secret."""
    kind = cast("object", type(result))
    if kind is APIKeyWithSecret:
        return result.key
    if kind is ServiceAccountWithSecret:
        return result.service_account
    if kind is Ensured:
        return evolve(result, value=_without_secret(result.value))
    return evolve(result, key=_without_secret(result.key)) if kind is Provisioned else result
