"""The new secret of the account that a command uses itself: it replaces the old one in the file of the profile."""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager

from attrs import frozen

from pinecone_admin.cli.exit_codes import PARTLY_DONE
from pinecone_admin.cli.failures import CLIError
from pinecone_admin.cli.identity.client import open_client
from pinecone_admin.cli.identity.client_secrets import read_secret_file
from pinecone_admin.cli.identity.sources import CallerIdentity, spell_login
from pinecone_admin.cli.output.file_locks import lock_file
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.profiles.files import find_profile_file, load_profiles
from pinecone_admin.cli.secrets.places import FilePlace, PresentSecret
from pinecone_admin.cli.secrets.target_files import explain_os_errors, find_target_file
from pinecone_admin.cli.sentences import as_sentences, list_words
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import PineconeError, RefusedError

_IS_OWN = "This is the account you are using"


@frozen(kw_only=True)
class OwnSecretFile(FilePlace):
    """The secret-file of a profile, which has nothing but the secret in its one line.

    Attributes:
        client_id: The client id of the profile.
        profile: Its name.
        others: Names of the profiles of the same account that do not name this file.
        login: The command that signs in to the profile again.
    """

    client_id: str
    profile: str
    others: Sequence[str]
    login: str

    @property
    def note(self) -> str:
        """Where the secret goes, and which profiles also need it, as sentences."""
        other = f" Also sign in again to {list_words(self.others)}, of the same account." if self.others else ""
        return f"The new secret replaces the one in {self.path}, which profile {self.profile} uses.{other}"

    @property
    def test(self) -> str:
        """The command that shows whether the profile can sign in."""
        return f"pinecone-admin whoami --profile {self.profile}"

    def describe_remedy(self, account: str) -> str:
        """Return how the profile gets a secret that works if nobody has the valid one.

        Args:
            account: Name of the account, or its id.
        """
        rotate = f"pinecone-admin service-account rotate {shlex.quote(account)} --reveal"
        ways = f"rotate the secret in the console, or with the --profile of another account: {rotate}"
        return f"{ways}; then sign in with the new secret: {self.login}"

    @contextmanager
    def reserved(self) -> Generator[None, None, None]:
        """Let no other command rotate the secret at the same time, so that the last stored secret is the valid one.

        Raises:
            StoreError: Another command rotates it, and does not end in time.
        """
        path = find_target_file(self.path, allow_group=self.allow_group).path
        lock = lock_file(path.with_name(f"{path.name}-rotation"), self.interruptions.time_left)
        with ExitStack() as held:
            with explain_os_errors(path):
                held.enter_context(lock)
            yield

    def _parse(self, content: bytes) -> PresentSecret:
        text = content.decode(errors="replace").strip()
        return PresentSecret(text, self.client_id if text else "")

    def _compose(self, content: bytes, value: str, client_id: str) -> bytes:  # noqa: ARG002 - all of it is replaced
        return f"{value}\n".encode()


def _find_others(identity: CallerIdentity, path: str) -> list[str]:
    """Return the names of the profiles of the account of a profile that do not name its secret file."""
    account, file = (identity.client_id, identity.oauth_url), os.path.realpath(path)
    return [
        each.name
        for each in load_profiles(find_profile_file()).by_name.values()
        if (each.client_id, each.oauth_url) == account
        and (each.secret_file is None or os.path.realpath(each.secret_file) != file)
    ]


def require_own_place(session: Session) -> OwnSecretFile:
    """Return the file with the secret of the profile of a session.

    Raises:
        CLIError: The secret comes from elsewhere, or the command line says another place.
    """
    identity = session.identity
    if identity.secret_file is None or identity.client_id is None or session.settings.get("client_secret_stdin"):
        raise CLIError(
            f"{_IS_OWN}, and its client secret comes from {_describe_source(session)}, which this command cannot "
            "change. Rotate it as another service account, or sign in to a profile with pinecone-admin login, and run "
            "this with that --profile.",
            cause=RefusedError,
            says_if_unchanged=True,
        )
    place = OwnSecretFile(
        path=identity.secret_file,
        variable=None,
        allow_group=False,
        replaces=True,
        is_for_account=True,
        interruptions=session.interruptions,
        client_id=identity.client_id,
        profile=identity.origin.removeprefix("profile "),
        others=_find_others(identity, identity.secret_file),
        login=spell_login(identity),
    )
    for option in ("store", "reveal"):
        if session.settings.get(option):
            raise CLIError(
                f"{_IS_OWN}. Leave out --{option}: the new secret goes into {place.path}, where profile "
                f"{place.profile} needs it.",
                says_if_unchanged=True,
            )
    return place


def _describe_source(session: Session) -> str:
    identity = session.identity
    if session.settings.get("client_secret_stdin"):
        return "standard input"
    return f"the secret-command of {identity.origin}" if identity.secret_command else identity.origin


@contextmanager
def adding_remedy_note(session: Session, place: OwnSecretFile, account: str) -> Generator[None, None, None]:
    """Note on an error how the profile works again, if its secret was or may have been replaced, and is not stored.

    A secret that is in a rescue file is the valid one. Otherwise, nobody has it.
    """
    try:
        yield
    except BaseException as error:
        effects = session.ledger.effects
        if effects.remaining and all(each.state != "stored" for each in session.ledger.secrets):
            if any(each.state == "rescued" for each in session.ledger.secrets):
                advice = f"profile {place.profile} cannot sign in until {place.path} has the new secret: {place.login}"
            elif effects.done or effects.unread:
                advice = f"profile {place.profile} cannot sign in now; {place.describe_remedy(account)}"
            else:
                remedy = place.describe_remedy(account)
                advice = f"to find out, run {place.test}; if the secret is not accepted there, {remedy}"
            error.add_note(advice)
        raise


def try_own_secret(session: Session, place: OwnSecretFile, account: str) -> None:
    """Get a token with the secret in the file; if that fails, warn, since the secret is stored all the same.

    A command that was interrupted says instead that the secret was not tried.
    """
    try_it = f"Run {place.test}"
    if session.interruptions.received:
        session.warn(f"The new secret is stored in {place.path}, and was not tried. {try_it}.")
        return
    try:
        secret = read_secret_file(place.path, identity=session.identity)
        identity = session.identity.with_secret(secret, source="the secret-file")
        with closing(open_client(session, identity)) as admin, show_progress(session, "trying the new secret"):
            admin.token()
    except (PineconeError, CLIError) as error:
        session.exit_code = PARTLY_DONE
        session.warn(
            f"The new secret is stored in {place.path}, but it was not accepted yet, or could not be tried. "
            f"{as_sentences(error.message)} {try_it} in a minute. "
            f"{as_sentences(f'if it is not accepted then, {place.describe_remedy(account)}')}"
        )
