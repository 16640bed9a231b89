"""Call the methods that make a secret, so that it is stored, shown or rescued, or its owner is deleted again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, cast

from attrs import evolve

from pinecone_admin.cli.exit_codes import PARTLY_DONE
from pinecone_admin.cli.failures import BusyError, CLIError, StoreError, read_notes
from pinecone_admin.cli.ledger import SecretEntry
from pinecone_admin.cli.output.documents import build_document
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.report_lines import describe_old_key, list_lines
from pinecone_admin.cli.output.writing import write_value
from pinecone_admin.cli.parameters import Secret
from pinecone_admin.cli.secrets.destination import Destination, ResourceWithSecret, SecretDelivery, refusing
from pinecone_admin.cli.secrets.new_secret import NewSecret
from pinecone_admin.cli.secrets.standard_output import StandardOutput
from pinecone_admin.cli.secrets.target_files import RescueFile, keep_response, rescue_folders, reserve_rescue_file
from pinecone_admin.cli.sentences import as_sentences, join_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import ResponseParsingError, SecretNotStoredError
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, Provisioned, Rotation
from pinecone_admin.workflows.readable_store import SecretOwner

_ROTATE = "rotate_service_account_secret"
_MAKE_SECRETS = {"create_api_key", "create_service_account", _ROTATE, "send"}


def make_secret_and_write_result(
    destination: Destination, owner: SecretOwner, title: str, make_and_deliver: Callable[[SecretDelivery], object]
) -> object:
    """Make and deliver a secret, write the result without it, and return the result.

    Args:
        destination: Where the secret goes.
        owner: The key or service account of the secret.
        title: The work in progress.
        make_and_deliver: Makes the secret, delivers it, and returns what it belongs to.

    Raises:
        CLIError: The secret was not stored; the message says whether it was rescued or its key deleted.
    """
    session, makes = destination.session, destination.makes
    result: object = None
    is_written = False
    try:
        with refusing(), destination.select(owner) as delivery:
            with _reserved_rescue(makes) as rescue, show_progress(session, title):
                result = _make(session, delivery, rescue, make_and_deliver)
            session.ledger.is_complete = True
            _write_without_secret(session, makes, delivery, result)
            is_written = True
    except KeyboardInterrupt:
        if not is_written:
            raise  # otherwise it came while the secret was stored, and the command has nothing left to do
    return result


def _make(
    session: Session,
    delivery: SecretDelivery,
    rescue: RescueFile | None,
    make_and_deliver: Callable[[SecretDelivery], object],
) -> object:
    try:
        return make_and_deliver(delivery)
    except BaseException as error:
        if delivery.undelivered is None or delivery.entry is None:
            handed_out = error if isinstance(error, SecretNotStoredError) else error.__cause__
            if (unread := _find_unread(error)) is not None:
                keep_response(error, unread, rescue)
            elif isinstance(handed_out, SecretNotStoredError) and delivery.entry is None:
                _keep_interrupted(session, handed_out, rescue)
            raise
        is_deleted = any(each.made == delivery.undelivered.id for each in session.ledger.effects.undone)
        if rescue is not None or not is_deleted:
            _keep_secret(delivery.undelivered, delivery.entry, rescue)
        # The ledger adds what remains.
        raise _describe_not_stored(delivery.failure) from None


@contextmanager
def keep_handed_out(session: Session, makes: Secret) -> Generator[None, None, None]:
    """Keep a secret that a method of many secrets hands out with its error, since it is not surely stored.

    Raises:
        CLIError: A secret was not stored; the message says whether it was rescued.
    """
    with _reserved_rescue(makes) as rescue:
        try:
            yield
        except BaseException as error:
            session.interruptions.hold()  # the secret's own context has ended, and one more interruption would lose it
            if (handed_out := _find_handed_out(error)) is not None:
                _keep_interrupted(session, handed_out, rescue)
            elif (unread := _find_unread(error)) is not None:
                keep_response(error, unread, rescue)
            if not isinstance(error, SecretNotStoredError):
                raise
            failure = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise _describe_not_stored(failure) from None


def _describe_not_stored(failure: BaseException | None) -> CLIError:
    begins_with_place = isinstance(failure, StoreError) and not isinstance(failure, BusyError)
    said = str(failure) if begins_with_place else as_sentences(str(failure))  # a file keeps its small letters
    message = join_sentences([said, *map(as_sentences, read_notes(failure))])
    return CLIError(message, cause=failure or SecretNotStoredError, help_code=SecretNotStoredError.help_code)


def _find_handed_out(error: BaseException) -> SecretNotStoredError | None:
    """Return the error that hands out a secret, also if an interruption came before it arrived."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, SecretNotStoredError):
        found = found.__cause__ or found.__context__
    return found


def _find_unread(error: BaseException) -> ResponseParsingError | None:
    """Return the response that could not be read, and may contain a secret; of a rotation, also if it was repeated."""
    if isinstance(error, ResponseParsingError) and error.operation in _MAKE_SECRETS:
        return error
    cause = error.__cause__
    return cause if isinstance(cause, ResponseParsingError) and cause.operation == _ROTATE else None


def create_and_deliver(session: Session, makes: Secret, delivery: SecretDelivery, create: Callable[[], Any]) -> object:
    """Deliver what a method without ``store`` creates; if that fails, delete it."""
    from pinecone_admin._sync.workflows.run import Run  # noqa: PLC0415 - other commands need no workflow
    from pinecone_admin.workflows.changes import Change, Ref  # noqa: PLC0415 - as above

    # A key without a name would be a temporary one; its name is known once it is made.
    change = Change(action="create", target=Ref(makes.api_type, ""))
    with Run(session.admin, f"create {makes.kind}", dry_run=False) as run:
        new_secret: ResourceWithSecret = run.send(change, create)
        delivery(new_secret)
    return new_secret


def rotate_account_and_deliver(session: Session, delivery: SecretDelivery, rotate: Callable[[], Any]) -> object:
    """Store the new secret of an account. Its rotation cannot be undone."""
    session.interruptions.hold()  # from here on, an interruption could lose the secret
    new_secret: ResourceWithSecret = rotate()
    delivery(new_secret)
    return new_secret


@contextmanager
def _reserved_rescue(makes: Secret) -> Generator[RescueFile | None, None, None]:
    """Reserve a rescue file for a secret whose making cannot be undone, and delete it if it stays empty."""
    if not makes.is_irreversible:
        yield None
        return
    with refusing():
        rescue = reserve_rescue_file(rescue_folders())
    try:
        yield rescue
    finally:
        if not rescue.is_used:
            rescue.path.unlink(missing_ok=True)


def _keep_secret(secret: NewSecret, entry: SecretEntry, rescue: RescueFile | None) -> None:
    try:
        rescue = rescue or reserve_rescue_file(rescue_folders())
        rescue.write(secret.to_json())
    except StoreError as error:
        entry.state, entry.place = "lost", str(error)
    else:
        entry.state, entry.place = "rescued", str(rescue.path)


def _keep_interrupted(session: Session, error: SecretNotStoredError, rescue: RescueFile | None) -> None:
    """Keep the secret of a service account that an error hands out."""
    id = error.service_account_id
    secret = NewSecret(
        value=error.secret.reveal(),
        kind="service-account",
        id=id,
        identifiers={},
        owner={"id": id, "client_id": error.client_id},
        client_id=error.client_id,
    )
    entry = next((each for each in session.ledger.secrets if each.owner_id == id and each.state == "undelivered"), None)
    if entry is None:
        entry = SecretEntry(secret.label, id)
        session.ledger.secrets.append(entry)
    _keep_secret(secret, entry, rescue)


def _write_without_secret(session: Session, makes: Secret, delivery: SecretDelivery, result: object) -> None:
    is_shown = bool(session.settings.get("reveal"))
    if delivery.was_stored_before:
        session.notify("No new secret was created, because an earlier run stored it. This run finished the work.")
    elif delivery.entry is None:
        _notify_existing(session, delivery, result)
    if isinstance(result, Rotation) and is_shown:  # without the secret, the output is the rotation
        report = build_document(result)
        session.notify(describe_old_key(result), facts={name: report[name] for name in ("replaced", "delete_after")})
    if not is_shown:
        _write_place(session, delivery, _without_secret(result))
    elif delivery.entry is None:
        if not isinstance(result, Rotation) and getattr(result, "steps", None):
            for line in list_lines(_without_secret(result), session.ledger, is_dry_run=False):
                session.notify(as_sentences(line))
        ensured = result.key if isinstance(result, Provisioned) else result
        differences = getattr(ensured, "differences", ())
        StandardOutput(session, makes).write_existing(_find_existing(result), differences)


def _find_existing(result: Any) -> APIKey | ServiceAccount:
    """Return the key or service account of a result whose secret is not new."""
    kind = cast("object", type(result))
    if kind is Ensured:
        return cast("APIKey | ServiceAccount", result.value)
    return cast("APIKey", result.key.value if kind is Provisioned else result.key)


def _notify_existing(session: Session, delivery: SecretDelivery, result: object) -> None:
    """Say that a secret exists which nobody can read again, and what its place has; warn if that has nothing.

    If the secret was asked for, the exit code is 9: in raw, where it is all of the output, and of a key that earlier
    runs have replaced completely, unless the place has it.
    """
    existing, is_shown = _find_existing(result), session.settings.get("reveal")
    is_missing = is_shown and session.output == "raw"
    lacks_value = False
    with suppress(StoreError):  # it has something else
        lacks_value = delivery.place.is_readable and not delivery.place.read().value  # certainly
    noun = "service-account" if hasattr(existing, "client_id") else "api-key"
    text = f"No new secret was created, and the present one cannot be shown again. To replace it, use {noun} rotate."
    if isinstance(result, Rotation):
        is_finished_now = any(each.state == "done" for each in result.steps)
        then = (
            "This run finished its work"
            if is_finished_now
            else "To replace that key, too, give its id to api-key rotate"
        )
        text = (
            f"No new secret was created: an earlier run has replaced API key {result.replaced} with {existing.id}, and "
            f"stored or showed its value. {then}."
        )
        is_missing = is_missing or ((is_shown or lacks_value) and not is_finished_now)
    if is_missing:
        session.exit_code = PARTLY_DONE
    content = delivery.place.describe_content(getattr(existing, "client_id", None))
    tell = session.warn if lacks_value else session.notify
    tell(join_sentences([text, content]))


def _write_place(session: Session, delivery: SecretDelivery, result: object) -> None:
    """Write a result, and where its secret is stored."""
    if session.output != "table" or session.settings.get("query"):
        write_value(session, {**build_document(result), "stored_in": delivery.address})
        return
    write_value(session, result)
    has_place = isinstance(result, Rotation) and delivery.entry is not None  # the line of the key has it
    if delivery.address is not None and not has_place:
        session.notify(f"The secret is stored in {delivery.address}.")


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
