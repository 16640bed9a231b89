"""docs/installation.md: the section on uninstalling names each folder where the package writes by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinecone_admin.auth import FileTokenCache
from pinecone_admin.cli.profiles.files import find_profile_file
from pinecone_admin.cli.secrets.target_files import rescue_folders
from tests.support.recipes import ROOT, read_page

SECTION = read_page("docs/installation.md").partition("## Uninstall")[2]


def test_each_folder_of_the_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables of XDG, what is written is below the folders of the table."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    FileTokenCache().store("0" * 64, "token", 60.0)
    profiles = find_profile_file()
    assert profiles is not None
    written = [*tmp_path.rglob(f"*{'0' * 64}*"), profiles, next(rescue_folders()) / "rescue"]
    folders = {f"~/{path.parent.relative_to(tmp_path)}" for path in written}
    assert folders == set(re.findall(r"`(~/\.\S+/pinecone-admin)`", SECTION))


def test_no_other_module_chooses_where_to_write() -> None:
    """A module that takes a folder of the user, or of temporary files that stay, is one that the section is about."""
    source = ROOT / "pinecone_admin"
    chosen = re.compile(r"user_(cache|config|state|data)_path\(|mkdtemp\(|gettempdir\(")
    found = {
        path.relative_to(source).as_posix() for path in source.rglob("*.py") if chosen.search(path.read_text("utf-8"))
    }
    assert found == {
        "auth/file_cache.py",
        "cli/emulator/background.py",
        "cli/profiles/files.py",
        "cli/secrets/target_files.py",
    }
