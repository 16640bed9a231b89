"""Files that commands read and write: those of other users are refused, reports are private."""

from __future__ import annotations

import csv
import errno
import os
import stat
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pinecone_admin._text.printable import make_printable
from pinecone_admin.auth.private_files import is_mounted_alone, replace_private_file
from pinecone_admin.cli.damaged_files import STANDARD_INPUT, refuse_content
from pinecone_admin.cli.failures import CLIError, reason_of
from pinecone_admin.errors import PineconeValueError

if TYPE_CHECKING:
    from pinecone_admin.cli.session import Session

MAX_FILE_BYTES = 1024 * 1024
_MAX_CHARACTERS = 1 << 28
"""More than the inventory of any organization; a pipe that never ends stops here."""

_MAX_LINKS = 40  # as Linux follows

OTHERS_CAN_ACCESS = 0o077
OTHERS_CAN_WRITE = 0o022


def read_file(path: Path, *, forbidden: int) -> tuple[str, bool] | None:
    """Return the text of a file and whether all users can read it, or None if it does not exist; pipes are read, too.

    Args:
        path: The file.
        forbidden: Bits of its mode that must not be set.

    Raises:
        CLIError: It cannot be read, another user could have written it, or it is not text.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            problem = find_access_problem(status, forbidden=forbidden)
            if problem:
                raise CLIError(f"{describe_path(path)} {problem}")
            return _decode(file.read(MAX_FILE_BYTES + 1), path), bool(status.st_mode & stat.S_IROTH)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise CLIError(f"{describe_path(path)} cannot be read: {getattr(exc, 'strerror', 'invalid name')}") from exc


def find_access_problem(status: os.stat_result, *, forbidden: int) -> str | None:
    """Return why a file cannot be trusted, or None.

    Args:
        status: Status of the open file.
        forbidden: Bits of its mode that must not be set.
    """
    if os.name != "posix" or not stat.S_ISREG(status.st_mode):
        return None
    # In a container, root often works with the files of the user who started it.
    if status.st_uid not in {os.geteuid(), 0} and (os.geteuid() != 0 or forbidden == OTHERS_CAN_ACCESS):
        return "belongs to another user"
    if status.st_mode & forbidden:
        access = "written" if status.st_mode & forbidden & OTHERS_CAN_WRITE else "read"
        return f"can be {access} by others (mode {status.st_mode & 0o777:o}): run chmod 600 on it"
    return None


def describe_path(path: object) -> str:
    """Return a path as errors show it."""
    return make_printable(str(path), most=200)


def describe_input(path: str, *, begins: bool = False) -> str:
    """Return how errors name what a command reads: a path, or standard input for ``-``.

    Args:
        path: The path.
        begins: Whether a sentence begins with it. A path stays as it is.
    """
    name = STANDARD_INPUT if path == "-" else describe_path(path)
    return name.capitalize() if begins and path == "-" else name


def _decode(data: bytes, path: Path) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise CLIError(f"{describe_path(path)} is too large")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise CLIError(f"{describe_path(path)} is not UTF-8 text (byte {exc.start})") from None


def follow_own_links(path: Path) -> Path:
    """Return the path behind symbolic links of this user.

    Raises:
        OSError: A link belongs to another user, who could let it lead to a file of this one; or there are too many.
    """
    for _ in range(_MAX_LINKS):
        try:
            status = path.lstat()
        except FileNotFoundError:
            return path
        if not stat.S_ISLNK(status.st_mode):
            return path
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, "a symbolic link of another user is not followed")
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, "too many symbolic links")


@contextmanager
def explaining_read_errors(name: str) -> Generator[None]:
    """Turn what goes wrong in reading a file of text, or of rows, into an error that names it."""
    try:
        yield
    except UnicodeDecodeError:
        raise CLIError(f"{name} cannot be read, because it is not UTF-8 text.") from None
    except OSError as error:
        raise CLIError(f"{name} cannot be read: {reason_of(error)}.") from error
    except (csv.Error, ValueError) as error:
        raise refuse_content(name, str(error)) from error


def read_text(path: str, stdin: TextIO, *, keep_mark: bool = False) -> str:
    """Return the text of a file, or of standard input for ``-``; by default, without a byte order mark.

    Raises:
        CLIError: It cannot be read, is not UTF-8, or is larger than 256 Mi characters.
    """
    with explaining_read_errors(describe_input(path, begins=True)):
        if path == "-":
            text = stdin.read(_MAX_CHARACTERS + 1)
            if not text:  # no file that is read so can be empty
                raise CLIError("Standard input is empty. If two options read it, give one of them a file.")
        else:
            # A lone carriage return stays one, so that a desired state can be refused for what it hides.
            with Path(path).open(encoding="utf-8", newline="") as file:
                text = file.read(_MAX_CHARACTERS + 1)
    if len(text) > _MAX_CHARACTERS:
        raise CLIError(f"{describe_input(path, begins=True)} cannot be read, because it is too large.")
    return text if keep_mark else text.removeprefix("\ufeff")


def find_folder_problem(target: Path) -> str | None:
    """Return why nothing can be created in the folder of a file, as the end of a sentence about the file; or None."""
    if not target.parent.exists():
        return "cannot be written, because its folder does not exist"
    if not target.parent.is_dir():
        return "cannot be written, because its folder is a file"
    if not os.access(target.parent, os.W_OK):
        return "cannot be written, because its folder is not writable"
    return None


def describe_unwritable(path: str | Path, error: Exception) -> str:
    """Return why a file cannot be written, in the same words for every file of the command line.

    Args:
        path: The file, as the sentence names it.
        error: The error. If the file does not exist, its folder may be the reason.
    """
    problem = None if os.path.lexists(path) else find_folder_problem(Path(path).absolute())
    return f"{describe_path(path)} {problem or f'cannot be written: {reason_of(error)}'}"


def check_writable(path: str) -> None:
    """Raise if a report cannot be written to this path, before work is done for it.

    Raises:
        CLIError: The folder is missing or not writable, or the path is a folder, a link of another user, or a
            file that is mounted by itself.
    """
    if path == "-":
        raise CLIError("- is no file that can be written. Give the name of a file.")
    if _is_device(Path(path)):
        return
    try:
        target = follow_own_links(Path(path).absolute())
    except OSError as error:
        raise CLIError(f"{describe_unwritable(path, error)}.") from error
    if target.is_dir():
        raise CLIError(f"{describe_path(path)} is a folder. Give the name of a file.")
    if (problem := find_folder_problem(target)) is not None:
        raise CLIError(f"{describe_path(path)} {problem}.")
    if is_mounted_alone(target):
        raise CLIError(
            f"{describe_path(path)} is mounted by itself, so it cannot be replaced. Mount its folder instead."
        )


def check_new_files(session: Session, files: Mapping[str, str | None], *, inputs: Iterable[str | None] = ()) -> None:
    """Raise if files that a command writes cannot be written, or exist; before anything is read for them.

    Args:
        session: The session; with ``--overwrite``, a file that exists is replaced, unless the command itself reads it.
        files: The files, each by its option; None for one that was not asked for.
        inputs: The files that the command reads.

    Raises:
        CLIError: As ``check_writable``, a file exists, or two of them are the same file.
    """
    read = [Path(each) for each in inputs if each is not None and each != "-"]
    given = {option: path for option, path in files.items() if path is not None}
    named = [os.path.realpath(each) for each in given.values() if not _is_device(Path(each))]
    if len(set(named)) < len(named):
        raise CLIError("Two options name the same file to write. Give each option a different file.")
    for option, path in given.items():
        check_writable(path)
        session.written[path] = "" if session.settings.get("overwrite") else option
        target = Path(path)
        if not target.is_file():
            continue
        if not session.settings.get("overwrite"):
            raise CLIError(f"{describe_path(path)} exists. Add --overwrite to replace it, or choose another name.")
        if any(each.exists() and each.samefile(target) for each in read):
            raise CLIError(f"{describe_path(path)} is read by the command, so choose another name.")


def write_report(path: str, text: str) -> None:
    """Write a file of mode 0600, completely or not at all; a device or a pipe is written as it is.

    Raises:
        CLIError: It cannot be written; a file that was there is unchanged.
    """
    target = Path(path)
    try:
        if _is_device(target):
            target.write_text(text, encoding="utf-8")
        else:
            replace_private_file(follow_own_links(target.absolute()), text.encode())
    except (OSError, UnicodeError) as error:
        cause = error if isinstance(error, OSError) else PineconeValueError
        raise CLIError(f"{describe_unwritable(path, error)}.", cause=cause) from error


def _is_device(path: Path) -> bool:
    """Return whether a path is neither a file nor a folder; the pipe behind ``/dev/fd/3`` has no path of its own."""
    return path.exists() and not path.is_file() and not path.is_dir()
