"""Files for secrets and reports that could not be written where they belong and that nobody else has."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path

from attrs import define

from pinecone_admin.cli.secrets.new_secret import LARGEST_SECRET
from pinecone_admin.cli.secrets.store_error import StoreError
from pinecone_admin.cli.secrets.target_files import explain_os_errors
from pinecone_admin.errors import ResponseParsingError


@define(kw_only=True)
class RescueFile:
    """A file of mode 0600 whose space is reserved before a secret is made.

    Attributes:
        path: Its path.
        is_used: Whether a secret is in it.
    """

    path: Path
    is_used: bool = False

    def write(self, text: str) -> None:
        """Write a secret in the reserved space.

        Raises:
            StoreError: It cannot be written.
        """
        self.is_used = True
        with explain_os_errors(self.path), self.path.open("r+b") as file:
            file.write(text.encode())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Delete the file, which was not needed."""
        self.path.unlink(missing_ok=True)


def reserve_rescue_file(folders: Iterable[Path]) -> RescueFile:
    """Create a rescue file in the first folder that has room for it.

    Raises:
        StoreError: None has.
    """
    reasons: list[str] = []
    for folder in folders:
        try:
            return _reserve_in(folder)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
    raise StoreError(f"no file for a secret that cannot be stored can be created ({'; '.join(reasons)})")


def rescue_folders() -> Generator[Path, None, None]:
    """Yield the folders in which a rescue file is looked for, the best one first."""
    from platformdirs import user_state_path  # noqa: PLC0415 - loaded only if a file is needed

    # Without a home folder, the path is relative.
    if (folder := user_state_path("pinecone-admin")).is_absolute():
        yield folder
    with suppress(FileNotFoundError):  # no folder for temporary files can be written to
        yield Path(tempfile.gettempdir())


def keep_response(error: ResponseParsingError, rescue: RescueFile | None = None) -> None:
    """Keep a response that could not be read, since nothing but it has the secret; note on its error where it is.

    Args:
        error: The error, which has the response.
        rescue: A file that is reserved already, or None.
    """
    try:
        rescue = rescue or reserve_rescue_file(rescue_folders())
        rescue.write(error.raw.reveal())
    except StoreError as failure:
        error.add_note(f"the response could not be kept: {failure}")
    else:
        error.add_note(f"the response, which may contain the secret, is in {rescue.path}")


def _reserve_in(folder: Path) -> RescueFile:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix="pinecone-admin-rescue-", suffix=".json", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(b" " * LARGEST_SECRET)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return RescueFile(path=path)
