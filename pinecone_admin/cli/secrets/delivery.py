"""Call the methods that make a secret, so that the secret is stored, shown, rescued, or never valid."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import evolve

from pinecone_admin._sync.workflows.rollback import Rollback
from pinecone_admin.cli.exit_codes import PARTLY_DONE
from pinecone_admin.cli.failures import CLIError, read_notes
from pinecone_admin.cli.output.documents import build_document
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.registry import CommandSpec
from pinecone_admin.cli.secrets.new_secret import NewSecret, describe_secret
from pinecone_admin.cli.secrets.options import find_store, is_for_account
from pinecone_admin.cli.secrets.rescue import RescueFile, keep_response, rescue_folders, reserve_rescue_file
from pinecone_admin.cli.secrets.store_error import StoreError
from pinecone_admin.cli.secrets.stores import SecretStore
from pinecone_admin.errors import NotFoundError, PineconeError, ResponseParsingError
from pinecone_admin.models import APIKeyWithSecret, ServiceAccountWithSecret
from pinecone_admin.workflows import Ensured, Provisioned, Rotation

if TYPE_CHECKING:
    from pinecone_admin import Admin
    from pinecone_admin.cli.session import Session

_Made: TypeAlias = APIKeyWithSecret | ServiceAccountWithSecret

_ROTATES_ACCOUNT = "service_accounts.rotate_secret"
_NOT_STORED = "PA603"
_MAKE_SECRETS = {"create_api_key", "create_service_account", "rotate_service_account_secret", "send"}
_NOUNS = {"api-key": "a new API key", "service-account": "a new service account"}


class SecretDelivery:
    """The ``store`` of a command: passes the secret on, and knows whether it arrived.

    Args:
        store: Where the secret goes.
        session: The session; from the delivery on, its command runs to its end.

    Attributes:
        undelivered: The secret, unless there is none or it is stored.
        is_done: Whether a secret is stored.
        failure: Why it is not stored; its notes say what was undone.
    """

    def __init__(self, store: SecretStore, session: Session) -> None:
        self._store, self._session = store, session
        self.undelivered: NewSecret | None = None
        self.is_done: bool = False
        self.failure: Exception | None = None

    def __call__(self, made: _Made) -> None:
        """Store the secret of what was made."""
        # A signal from here on would leave open whether the secret is stored.
        self._session.interruptions.hold()
        self.undelivered = secret = describe_secret(made)
        try:
            with self._session.pause_progress():  # the store may use the terminal itself
                self._store.store(secret)
        except Exception as error:
            self.failure = error
            raise
        self.undelivered, self.is_done = None, True


def make_secret(session: Session, spec: CommandSpec, method: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Call the method that makes a secret, and write the result.

    Raises:
        CLIError: The secret was not stored; the message says whether it was rescued or its key deleted.
    """
    delivery = SecretDelivery(find_store(session, spec), session)
    with _reserved_rescue(spec) as rescue, show_progress(session, spec.name):
        try:
            result = _call(session, spec, method, arguments, delivery)
        except BaseException as error:
            if delivery.undelivered is None:
                _explain_end(error, spec, delivery)
                raise
            raise _conclude_failure(session.admin, delivery, delivery.undelivered, rescue) from None
    _write_result(session, spec, delivery, result)


def preview_secret(method: Callable[..., Any], arguments: Mapping[str, Any]) -> object:
    """Call the method with a dry run, or on a client that sends no changes."""
    return method(**arguments, store=str) if _takes_store(method) else method(**arguments)


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
        raise CLIError(f"{error}; nothing was changed") from error
    try:
        yield rescue
    finally:
        if not rescue.is_used:
            rescue.discard()


def _conclude_failure(admin: Admin, delivery: SecretDelivery, secret: NewSecret, rescue: RescueFile | None) -> CLIError:
    """Rescue a secret that was not stored, unless what it belongs to is gone; return the error that says so."""
    notes = [str(delivery.failure), *read_notes(delivery.failure)]
    remains = rescue is not None or _may_exist(admin, secret)
    if remains:
        notes.append(_keep_secret(secret, rescue))
    return CLIError(
        "; ".join(notes), exit=PARTLY_DONE, help_code=_NOT_STORED, outcome="done", safe_to_retry=not remains
    )


def _keep_secret(secret: NewSecret, rescue: RescueFile | None) -> str:
    try:
        rescue = rescue or reserve_rescue_file(rescue_folders())
        rescue.write(secret.to_json())
    except StoreError as error:
        return f"the new secret of {secret} is lost: make another one ({error})"
    return f"the new secret of {secret} is in {rescue.path}: store it, and delete that file"


def _may_exist(admin: Admin, secret: NewSecret) -> bool:
    try:
        if secret.kind == "api-key":
            admin.api_keys.describe(api_key_id=secret.id)
        else:
            admin.service_accounts.describe(service_account_id=secret.id)
    except NotFoundError:
        return False
    except PineconeError:
        return True
    return True


def _explain_end(error: BaseException, spec: CommandSpec, delivery: SecretDelivery) -> None:
    """Note on an error what it means for the secret."""
    if isinstance(error, ResponseParsingError) and error.operation in _MAKE_SECRETS:
        keep_response(error)
    elif delivery.is_done:
        error.add_note("the secret is stored")
    elif isinstance(error, KeyboardInterrupt) and spec.methods[0] == _ROTATES_ACCOUNT:
        error.add_note("the secret may have been replaced: run the command again")
    elif isinstance(error, KeyboardInterrupt) and not getattr(error, "__notes__", ()):
        error.add_note("nothing new was made")


def _write_result(session: Session, spec: CommandSpec, delivery: SecretDelivery, result: object) -> None:
    if not delivery.is_done:
        session.notify("nothing new was made, and the secret of what exists cannot be shown again")
    if isinstance(result, Rotation) and session.output == "table":
        session.notify(_describe_old_key(result))
    if not session.settings.get("reveal"):
        session.write(_without_secret(result))
    elif not delivery.is_done:
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
