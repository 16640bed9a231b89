"""Call the methods that make a secret, so that it is stored, shown or rescued, or its owner is deleted again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias, cast

from attrs import evolve

from pinecone_admin import Admin
from pinecone_admin._sync.workflows.rollback import Rollback
from pinecone_admin.cli.ending import has_undone
from pinecone_admin.cli.exit_codes import TRY_LATER, USAGE
from pinecone_admin.cli.failures import CLIError, read_notes
from pinecone_admin.cli.ledger import SecretEntry
from pinecone_admin.cli.output.documents import build_document
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.new_secret import NewSecret, StoreError, describe_secret
from pinecone_admin.cli.secrets.standard_output import StandardOutput
from pinecone_admin.cli.secrets.stores import STORE_FORMS, FileBackedStore, SecretStore, parse_store
from pinecone_admin.cli.secrets.target_files import RescueFile, keep_response, rescue_folders, reserve_rescue_file
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeError, ResponseParsingError, SecretNotStoredError
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, Provisioned, Rotation
from pinecone_admin.workflows.readable_store import PlacedStore
from pinecone_admin.workflows.sent_changes import is_gone

_Made: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret

_MAKE_SECRETS = {"create_api_key", "create_service_account", "rotate_service_account_secret", "send"}
_NOUNS = {"api-key": "a new API key", "service-account": "a new service account"}


class SecretDelivery:
    """The argument ``store`` of a method: passes the secret on, and knows whether it arrived.

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

    @property
    def place(self) -> str | None:
        """Where the secret is stored, or None if there is none or it was shown."""
        is_stored = self.was_stored_before or (self.entry is not None and self.entry.state == "stored")
        return self._store.address if is_stored else None

    def __call__(self, made: _Made) -> None:
        """Store the secret of what was made."""
        # A signal from here on would leave open whether the secret is stored.
        self._session.interruptions.hold()
        self.was_stored_before = False
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


class ReadableDelivery(SecretDelivery, PlacedStore):
    """A delivery to a place that can be read, so that a run goes on with what an earlier one has stored.

    Args:
        store: Where the secret goes.
        session: The session.
    """

    def __init__(self, store: FileBackedStore, session: Session) -> None:
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

    def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return the secret at the place; of an account, only if its client id is beside it."""
        present = self._readable.read_present()
        is_of_other = isinstance(made, ServiceAccount) and present.client_id != made.client_id
        found = None if is_of_other else present.value or None
        self.was_stored_before = found is not None  # if it is not that of ``made``, another one is stored
        return found


def check_destination(session: Session, makes: Secret) -> None:
    """Raise CLIError, before anything is sent, unless the secret that a command makes has somewhere to go."""
    given, reveal = session.settings.get("store"), session.settings.get("reveal")
    if given is not None and reveal:
        raise CLIError("give either --store or --reveal, not both")
    if given is not None or reveal:
        _check_store(session, makes)
    elif not session.is_dry_run:
        raise CLIError(
            "this makes a secret, which is shown only once: "
            f"give --store {STORE_FORMS} to store it, or --reveal to show it"
        )


def _check_store(session: Session, makes: Secret) -> None:
    store = find_store(session, makes)
    try:
        store.check()
        if isinstance(store, FileBackedStore) and (remark := store.describe_replacement()) is not None:
            session.notify(remark)
        if not makes.may_exist:  # others may find that the secret was made and stored by an earlier run
            store.check_unused()
    except StoreError as error:
        option = "--reveal" if session.settings.get("reveal") else "--store"
        raise CLIError(f"{option}: {error}", says_if_unchanged=True) from error


def find_store(session: Session, makes: Secret) -> SecretStore:
    """Return the place for a secret that the options name: stdout, or a store.

    Raises:
        CLIError: They name none.
    """
    if session.settings.get("reveal"):
        # Of what exists already, ensure shows no secret.
        outcome = {"created": True} if makes.may_exist and not makes.nested else {}
        return StandardOutput(session, is_for_account=makes.is_of_account, is_nested=makes.nested, outcome=outcome)
    try:
        return parse_store(
            session.settings["store"],
            allow_group=bool(session.settings.get("allow_group")),
            replaces=makes.replaces,
            is_for_account=makes.is_of_account,
            interruptions=session.interruptions,
        )
    except StoreError as error:
        raise CLIError(f"--store: {error}") from error


def check_account(session: Session, makes: Secret, owner_id: str | None) -> None:
    """Check that the secret of an account that is rotated does not replace that of another one.

    Args:
        session: The session.
        makes: The secret that is made.
        owner_id: Id of the service account or API key whose secret is replaced; nothing is checked of a key.

    Raises:
        CLIError: It would.
    """
    if not _is_rotated_account(makes) or "store" not in session.settings or owner_id is None:
        return
    store = find_store(session, makes)
    if isinstance(store, FileBackedStore) and store.read_present().client_id:
        try:
            store.check_replaceable(session.admin.service_accounts.describe(service_account_id=owner_id).client_id)
        except StoreError as error:
            raise CLIError(f"--store: {error}", says_if_unchanged=True) from error


def _is_rotated_account(makes: Secret) -> bool:
    """Return whether the secret takes the place of one that stops working at once, so that it cannot be undone."""
    return makes.is_of_account and makes.replaces


def prepare_delivery(session: Session, makes: Secret) -> SecretDelivery:
    """Return what a method gets as ``store``, as the options say."""
    return deliver_to(find_store(session, makes), session)


def deliver_to(store: SecretStore, session: Session) -> SecretDelivery:
    """Return what a method gets as ``store`` for a place."""
    return ReadableDelivery(store, session) if isinstance(store, FileBackedStore) else SecretDelivery(store, session)


def make_secret_and_write_result(
    session: Session,
    makes: Secret,
    title: str,
    make_and_deliver: Callable[[SecretDelivery], object],
    *,
    owner_id: str | None = None,
) -> object:
    """Make and deliver a secret, write the result without it, and return the result.

    Args:
        session: The session.
        makes: The secret that is made.
        title: What is being done.
        make_and_deliver: Makes the secret, delivers it, and returns what it belongs to.
        owner_id: Id of the service account or API key whose secret is replaced; None if it is a new one.

    Raises:
        CLIError: The secret was not stored; the message says whether it was rescued or its key deleted.
    """
    delivery = prepare_delivery(session, makes)
    check_account(session, makes, owner_id)
    with _reserved_rescue(makes) as rescue, show_progress(session, title):
        try:
            result = make_and_deliver(delivery)
        except BaseException as error:
            if delivery.undelivered is None or delivery.entry is None:
                if isinstance(error, ResponseParsingError) and error.operation in _MAKE_SECRETS:
                    keep_response(error, rescue)
                raise
            if rescue is not None or _may_exist(session, delivery.undelivered):
                _keep_secret(delivery.undelivered, delivery.entry, rescue)
            # The ledger adds what remains.
            message = "; ".join([str(delivery.failure), *read_notes(delivery.failure)])
            code = SecretNotStoredError.help_code
            raise CLIError(message, exit=_exit_of(delivery.failure), help_code=code) from None
    session.ledger.is_complete = True
    _write_without_secret(session, makes, delivery, result)
    return result


def create_and_deliver(session: Session, makes: Secret, delivery: SecretDelivery, create: Callable[[], Any]) -> object:
    """Deliver what a method without ``store`` creates; if that fails, delete it."""
    with Rollback(session.admin) as rollback:
        made: _Made = rollback.create(_NOUNS[makes.kind], create, _undo)
        delivery(made)
    return made


def rotate_account_and_deliver(session: Session, delivery: SecretDelivery, rotate: Callable[[], Any]) -> object:
    """Deliver the secret with which a request replaces that of an account, which cannot be undone."""
    session.interruptions.hold()  # from here on, an interruption could lose the secret
    made: _Made = rotate()
    delivery(made)
    return made


def _undo(made: _Made) -> tuple[str, Callable[[Admin], None]]:
    secret = describe_secret(made)
    if secret.kind == "api-key":
        return str(secret), lambda admin: admin.api_keys.delete(api_key_id=secret.id)
    return str(secret), lambda admin: admin.service_accounts.delete(service_account_id=secret.id)


@contextmanager
def _reserved_rescue(makes: Secret) -> Generator[RescueFile | None, None, None]:
    """Reserve a rescue file for a secret whose making cannot be undone, and delete it if it stays empty."""
    if not _is_rotated_account(makes):
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
            rescue.path.unlink(missing_ok=True)


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
    except PineconeError as error:
        if is_gone(error):
            ledger.gone.add(secret.id)
        return not is_gone(error)
    return True


def _write_without_secret(session: Session, makes: Secret, delivery: SecretDelivery, result: object) -> None:
    if delivery.was_stored_before:
        session.notify("no new secret was made: an earlier run stored it, and this one finished the work")
    elif delivery.entry is None:
        session.notify("no new secret was made, and that of what exists cannot be shown again")
    if isinstance(result, Rotation) and session.output == "table":
        session.notify(_describe_old_key(result))
    if not session.settings.get("reveal"):
        _write_place(session, delivery, _without_secret(result))
    elif delivery.entry is None:
        absence = _describe_absence(makes, result, for_people=session.output == "table")
        write_value(session, "" if session.output == "raw" else absence)


def _write_place(session: Session, delivery: SecretDelivery, result: object) -> None:
    """Write a result, and where its secret is stored."""
    if session.output != "table" or session.settings.get("query"):
        write_value(session, _add_field(build_document(result), "stored_in", delivery.place))
        return
    write_value(session, result)
    if delivery.place is not None:
        session.notify(f"the secret is stored in {delivery.place}")


def _describe_old_key(rotation: Rotation) -> str:
    old = f"the old key {rotation.replaced}"
    if rotation.delete_after is None:
        return f"{old} was deleted"
    due = f"{rotation.delete_after:%Y-%m-%d %H:%M} UTC"
    return f"{old} works until it is deleted: run pinecone-admin api-key delete-retired after {due}"


def _describe_absence(makes: Secret, result: object, *, for_people: bool) -> dict[str, Any]:
    """Return the document of a revealed secret with null in its place, and after that what was done."""
    document = build_document(_without_secret(result), for_people=for_people)
    return _add_field(document, "client_secret" if makes.is_of_account else "value", None)


def _add_field(document: dict[str, Any], name: str, value: str | None) -> dict[str, Any]:
    """Return a document with a field more: behind those of the thing, before what was done."""
    outcome: dict[str, Any] = {each: document[each] for each in ("created", "differences", "steps") if each in document}
    thing = {each: found for each, found in document.items() if each not in outcome}
    return {**thing, name: value, **outcome}


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
