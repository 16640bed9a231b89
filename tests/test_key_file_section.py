"""docs/workflows.md: the class that keeps the value of a key in a file, which readers copy."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import Admin, NotFoundError
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from pinecone_admin.workflows import ReadableStore
from tests.support.fault_injection import KILLS, FaultyTransport, InjectedFault, KilledError
from tests.support.recipes import list_blocks

(TEXT,) = [block.text for block in list_blocks("docs/workflows.md") if "class KeyFile" in block.text]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file that does not exist, in an empty folder."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder / "reader.key"


@pytest.fixture
def store(file: Path, monkeypatch: pytest.MonkeyPatch) -> ReadableStore:
    """Return the store of the page; its program runs in another folder."""
    monkeypatch.chdir(file.parent.parent)
    names: dict[str, Any] = {"__name__": "docs"}
    with emulate():
        exec(TEXT, names)
    made: ReadableStore = names["KeyFile"](str(file))
    return made


def check_file(file: Path, emulator: Emulator) -> None:
    """Check that the file has the value of the only key, and that nobody else can read it or another copy."""
    assert [(key.name, key.value) for key in emulator.state.api_keys.values()] == [("reader", file.read_text())]
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("is_rotation", [False, True], ids=["ensure", "rotate"])
def test_a_run_that_was_killed_at_any_request_goes_on_with_the_file(
    store: ReadableStore, file: Path, kill: InjectedFault, *, is_rotation: bool
) -> None:
    """Once the value is in the file, the next run does not replace it; a file of before, for everybody, is private."""
    replacements = 0
    for number in range(1, 30):
        emulator = Emulator(seed=1)
        admin = emulator.admin()
        project_id = admin.projects.create(name="search").id
        key_id = admin.api_keys.create(project_id=project_id, name="reader").key.id if is_rotation else ""
        file.write_text("the value of another key")
        file.chmod(0o644)

        def run(admin: Admin, project_id: str = project_id, key_id: str = key_id) -> None:
            if not key_id:
                admin.api_keys.ensure(project_id=project_id, name="reader", store=store)
            else:
                with suppress(NotFoundError):  # the run before was complete
                    admin.api_keys.rotate(api_key_id=key_id, store=store)

        transport = FaultyTransport(emulator, {number: kill})
        with suppress(KilledError):
            run(transport.admin())
        stored = file.read_text()
        run(emulator.admin())
        check_file(file, emulator)
        if stored != "the value of another key":
            assert file.read_text() == stored
            replacements += 1
        if len(transport.requests) < number:
            break
    assert replacements > 1  # a run that was killed after it stored the value, and the last one, which was not killed


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_value_that_cannot_be_written_leaves_the_file_and_the_key(
    name: str, store: ReadableStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rotation fails with the error of the disk, which shows no value, and no copy remains."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    emulator = Emulator(seed=1)
    admin = emulator.admin()
    old = admin.api_keys.create(project_id=admin.projects.create(name="search").id, name="reader")
    store(old)
    monkeypatch.setattr(Path if name == "replace" else os, name, fail)
    with pytest.raises(OSError, match="No space left"):
        admin.api_keys.rotate(api_key_id=old.key.id, store=store)
    check_file(file, emulator)


def test_a_folder_that_cannot_be_synced_does_not_take_back_what_is_stored(
    store: ReadableStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new value is in the file by then, so its key must stay."""
    real = os.open

    def refuse_folders(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if Path(path).is_dir():
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(path, flags, *more, **named)

    emulator = Emulator(seed=1)
    admin = emulator.admin()
    project_id = admin.projects.create(name="search").id
    monkeypatch.setattr(os, "open", refuse_folders)
    admin.api_keys.ensure(project_id=project_id, name="reader", store=store)
    check_file(file, emulator)


def test_a_link_stays_and_nothing_shows_the_value(
    store: ReadableStore, file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file behind the link is replaced; output and the text of the store have no value."""
    link = file.parent.parent / "link"
    link.symlink_to(file)
    emulator = Emulator(seed=1)
    admin = emulator.admin()
    linked = type(store)(str(link))  # type: ignore[call-arg]  # the page's class takes a path
    admin.api_keys.ensure(project_id=admin.projects.create(name="search").id, name="reader", store=linked)
    assert link.is_symlink()
    check_file(file, emulator)
    assert file.read_text() not in "".join([*capfd.readouterr(), repr(linked), str(vars(linked))])
