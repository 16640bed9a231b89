"""The identity of the command line, and the client that uses it."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from pinecone_admin import Admin, AttemptEvent, PineconeTypeError, PineconeValueError
from pinecone_admin._config.addresses import API_URL, OAUTH_URL
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource, quote_name
from pinecone_admin.cli.calls.audit_log import AuditLog, format_entry
from pinecone_admin.cli.calls.clients import (
    ChangeRecorder,
    PreviewAdmin,
    RecordedAdmin,
    describe_attempt,
    describe_reason_to_wait,
)
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.sources import (
    AUDIT_LOG_VARIABLE,
    EXPECTED_VARIABLE,
    CallerIdentity,
    check_schemes,
    choose_identity,
    client_arguments,
    identity_error,
    require_both_addresses,
    require_complete,
)
from pinecone_admin.cli.output.files import OTHERS_CAN_WRITE, describe_path, read_file
from pinecone_admin.cli.sentences import as_sentences, list_words
from pinecone_admin.cli.variables import CI_VARIABLES, READ_ONLY_VARIABLE, read_switch
from pinecone_admin.workflows.sent_changes import SentChange

if TYPE_CHECKING:
    from pinecone_admin.cli.profiles.profile import Profiles
    from pinecone_admin.cli.session import Session


def make_client(session: Session) -> Admin:
    """Return the client of a session; if an organization is expected, the caller's is checked first.

    Raises:
        CLIError: The caller cannot be identified, or its organization is not the expected one.
    """
    identity = complete_identity(session)
    admin = open_client(session, identity)
    if identity.expect_organization is not None:
        try:
            require_organization(admin, identity.expect_organization)
        except BaseException:
            admin.close()
            raise
    return admin


def limit_core_dumps(size: int) -> int:
    """Limit the core dumps of this process, which would contain its credentials, and return the limit before."""
    try:
        import resource  # noqa: PLC0415 - missing on Windows
    except ImportError:
        return size
    before, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (size, most))
    return before


def find_identity(session: Session) -> CallerIdentity:
    """Return the identity of a session as it was chosen, without the secret of a command or of stdin.

    Raises:
        CLIError: A value of the command line or of a profile cannot be used.
    """
    identity = choose_identity(
        profile=session.settings.get("profile"),
        env_file=session.settings.get("env_file"),
        env=session.env,
        read_env_file=lambda path: read_variables(session, path),
        load_profiles=_load_profiles,
    )
    return expect_organization(session, identity)


def expect_organization(session: Session, identity: CallerIdentity) -> CallerIdentity:
    """Return an identity that works only on the organization that it, the environment and the options expect.

    Raises:
        CLIError: They expect different ones.
    """
    holder = identity.origin
    for source, expected in (
        (identity.origin, _read_setting(EXPECTED_VARIABLE, identity.variables)),
        (EXPECTED_VARIABLE, _read_setting(EXPECTED_VARIABLE, session.env)),
        ("--expect-organization", session.settings.get("expect_organization")),
    ):
        if expected is not None:
            found = identity.expect_organization
            if found is not None and found != expected:
                raise CLIError(
                    f"{source} names organization {expected}, but {holder} names {found}. Use one of the two."
                )
            identity, holder = evolve(identity, expect_organization=expected), source
    return identity


def _read_setting(name: str, *sources: Mapping[str, str]) -> str | None:
    """Return the value of a variable in the first of several places where it is set, or None."""
    return next((value for each in sources if (value := each.get(name, "").strip())), None)


def _load_profiles() -> Profiles:
    from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles  # noqa: PLC0415 - few runs need it

    return load_profiles(find_profile_file())


def read_variables(session: Session, path: str) -> Mapping[str, str]:
    """Return the variables of an env file; say so if all users can read it.

    Raises:
        CLIError: It does not exist, others can write it, or it is damaged.
    """
    from pinecone_admin.cli.secrets.env_file_text import parse_env_file  # noqa: PLC0415 - few runs need it

    found = read_file(Path(path), forbidden=OTHERS_CAN_WRITE)
    name = describe_path(path)
    if found is None:
        raise CLIError(f"There is no file {name} for --env-file.")
    text, is_public = found
    if is_public:
        session.warn(f"All users of this machine can read {name}. Run chmod 600 on it.")
    return parse_env_file(text, source=name)


def complete_identity(session: Session) -> CallerIdentity:
    """Return the identity of a session with its secret, from stdin, or the file or the command of its profile.

    Raises:
        CLIError: There is none, or it cannot be obtained.
    """
    limit_core_dumps(0)
    identity = session.identity
    if identity.secret_file is not None or identity.secret_command:
        require_both_addresses(identity)  # a secret manager is not opened, and may not ask, for what is refused
    if session.settings.get("client_secret_stdin"):
        from pinecone_admin.cli.identity.client_secrets import read_secret_from  # noqa: PLC0415 - few runs need it

        identity = identity.with_secret(read_secret_from(session.stdin), source="the secret on stdin")
    elif identity.secret_file is not None:
        from pinecone_admin.cli.identity.client_secrets import read_secret_file  # noqa: PLC0415 - few runs need it

        secret = read_secret_file(identity.secret_file, identity=identity)
        identity = identity.with_secret(secret, source="the secret-file")
    elif identity.secret_command:
        from pinecone_admin.cli.identity.client_secrets import run_secret_command  # noqa: PLC0415 - few runs need it

        secret = run_secret_command(identity.secret_command, env=session.env, origin=identity.origin)
        identity = identity.with_secret(secret, source="the output of secret-command")
    require_complete(identity)
    return identity


def open_client(session: Session, identity: CallerIdentity) -> Admin:
    """Return a client that acts as an identity, under the options of the session.

    Raises:
        CLIError: The client refuses a part of the identity or of the environment.
    """
    arguments: dict[str, Any] = client_arguments(identity, production=(API_URL, OAUTH_URL))
    arguments |= {"source_tag": "cli", "lazy": True, "read_only": is_read_only(session)}
    is_workflow = session.command is not None and session.command.is_workflow  # which shows itself what it would do
    recorder = None if session.is_dry_run and not is_workflow else _make_recorder(session)
    try:
        check_schemes(identity.host, identity.oauth_url)
        if recorder is None:
            return PreviewAdmin(**arguments, on_attempt=_make_observer(session))
        admin = RecordedAdmin(**arguments, on_attempt=_make_observer(session, recorder))
    except (PineconeValueError, PineconeTypeError) as exc:
        message = exc.message_with_names(identity.spellings)
    else:
        admin.recorder = recorder
        return admin
    # Outside of the except clause: a traceback of the client could show the secret.
    raise CLIError(as_sentences(f"{identity.origin}: {message}" if not identity.in_environment else message))


_SHORTEST_WAIT = 1.0
"""Seconds; what is shorter would only flicker."""


def _make_observer(session: Session, recorder: ChangeRecorder | None = None) -> Callable[[AttemptEvent], None]:
    """Return what a client calls after each attempt to send a request."""

    def note_attempt(event: AttemptEvent) -> None:
        if recorder is not None:
            recorder.note_attempt(event)
        if session.settings.get("verbose"):
            session.notify(describe_attempt(event), indent="  ")
        if event.delay is not None and event.delay >= _SHORTEST_WAIT:
            session.show_wait(describe_reason_to_wait(event), event.delay)

    return note_attempt


def share_client(session: Session, admin: Admin) -> Admin:
    """Return a client over the connections and the token of another one, which records its changes for this session."""
    if not isinstance(admin, RecordedAdmin):
        return admin  # it sends reads only
    recorder = _make_recorder(session)
    copy = admin.with_options(on_attempt=_make_observer(session, recorder))
    copy.recorder = recorder
    return copy


def is_read_only(session: Session) -> bool:
    """Return whether the session may not change anything.

    Raises:
        CLIError: The variable, of the environment or of the env file, has another value than 0 or 1.
    """
    values = {read_switch(READ_ONLY_VARIABLE, each) for each in (session.env, session.identity.variables)}
    if None in values:
        raise CLIError(f"{READ_ONLY_VARIABLE} is neither 1 nor 0. Set it to one of them, or unset it.")
    return bool(session.settings.get("read_only")) or True in values


def require_organization(admin: Admin, expected: str) -> dict[str, str | None]:
    """Return the caller's organization, as ``read_organizations`` does.

    Raises:
        CLIError: It is not the expected one, or there are others.
    """
    from pinecone_admin.cli.identity.caller import read_organizations  # noqa: PLC0415 - few runs need it

    found = read_organizations(admin)
    if list(found) == [expected]:
        return found
    names = [describe_resource("", name or None, key) for key, name in found.items()]
    if expected in found.values():
        raise identity_error(
            f"The expected organization is given by its id, and {quote_name(expected)} is a name. This account belongs "
            f"to {list_words(names)}.",
            says_if_unchanged=True,
        )
    whose = f"belongs to {list_words(names)}" if names else "can see no organization"
    raise identity_error(
        f"You expected organization {quote_name(expected)}, but this account {whose}.", says_if_unchanged=True
    )


def _make_recorder(session: Session) -> ChangeRecorder:
    """Return a recorder of the changes of a session, which also writes them to the audit log, if there is one."""
    recorder = ChangeRecorder(session.ledger, session.interruptions)
    option = session.settings.get("audit_log")
    path = option or _read_setting(AUDIT_LOG_VARIABLE, session.env, session.identity.variables)
    if path is None:
        return recorder
    source = AUDIT_LOG_VARIABLE if option is None else "--audit-log"
    log = AuditLog(path, source=source, on_failure=session.note_lost_entry)
    caller = {"client_id": session.client_id, "user": _find_user()}
    job = {name: make_printable(value, most=500) for name in CI_VARIABLES if (value := session.env.get(name))}

    def record(change: SentChange) -> None:
        if change.attempts != 0:
            log.append(format_entry(change, time=datetime.now(UTC), caller=caller, job=job))

    session.ledger.on_settled = record
    return recorder


def _find_user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no account and no variable has a name
        return None
