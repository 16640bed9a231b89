"""scripts/release: what it refuses, and how it writes the links of the README."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import release
from pinecone_admin import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_changelog_begins_with_the_version_and_its_date() -> None:
    """The time stamp of the files is the date of the version; another version is refused."""
    assert release.read_release_date(f"# Changelog\n\n## {__version__} - 2026-07-01\n").timestamp() == 1782864000
    for text in ("## Unreleased\n", "## 9.9.9 - 2026-07-01\n", f"## {__version__}\n"):
        with pytest.raises(SystemExit, match=r"release: CHANGELOG\.md must begin with the version"):
            release.read_release_date(text)


def test_links_of_the_readme_are_absolute_outside_of_the_checkout() -> None:
    """Links to files become links to the version in the repository; others, and those within the page, stay."""
    absolute = release.make_links_absolute(
        "[a](docs/a.md#b) [d](https://d.example) [e](#e) `f[0](g)`", "https://repository.example/x/"
    )
    assert absolute.split()[:3] == [
        f"[a](https://repository.example/x/blob/v{__version__}/docs/a.md#b)",
        "[d](https://d.example)",
        "[e](#e)",
    ]


def test_builds_that_differ_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is named."""

    def write_place(command: list[str], *, cwd: Path, **_: str) -> str:
        if "build" in command:
            (cwd / "dist").mkdir(parents=True)
            (cwd / "dist/a.whl").write_text(cwd.name, encoding="utf-8")
        return ""

    monkeypatch.setattr(release, "run", write_place)
    with pytest.raises(SystemExit, match=r"release: two builds of a\.whl differ"):
        release.build_twice(tmp_path)


def test_a_release_needs_a_commit_and_the_address_of_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both refusals say what to do."""
    monkeypatch.setattr(release, "run", lambda *_, **__: " M README.md")
    with pytest.raises(SystemExit, match="release: commit all changes first"):
        release.check_readiness()
    monkeypatch.setattr(release, "run", lambda *_, **__: "")
    monkeypatch.setitem(release.PROJECT, "urls", {})
    with pytest.raises(SystemExit, match=r"release: add Repository = .* to \[project\.urls\]"):
        release.check_readiness()


def test_wrong_arguments_print_the_usage() -> None:
    """An unknown option is refused before anything is built."""
    done = subprocess.run([ROOT / "scripts/release", "--chek"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: scripts/release [--check]\n")


def test_each_version_in_the_changelog_has_each_heading_once() -> None:
    """A merge that keeps both sides of a rewritten section would repeat its headings."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for version in changelog.split("\n## ")[1:]:
        headings = [line for line in version.splitlines() if line.startswith("### ")]
        assert len(set(headings)) == len(headings), version.splitlines()[0]
