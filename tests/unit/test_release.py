"""scripts/release: what it refuses, and how it writes the links of the README."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import release
from pinecone_admin import __version__

TREE = {f"{name}/{file}": "" for name in release.PACKAGES for file in ("__init__.py", "py.typed")}
DIST_INFO = f"pinecone_admin-{__version__}.dist-info"


def write_release(folder: Path, *, wheel: dict[str, str], sdist: dict[str, str]) -> release.Build:
    """Write a tree with both packages, and a wheel and an sdist with its files and further ones."""
    for name in TREE:
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).touch()
    build = release.Build(folder / "a.whl", folder / "a.tar.gz")
    with zipfile.ZipFile(build.wheel, "w") as archive:
        for name, text in (TREE | {f"{DIST_INFO}/{name}": "" for name in release.DIST_INFO_FILES} | wheel).items():
            archive.writestr(name, text)
    with tarfile.open(build.sdist, "w:gz") as tar:
        for name, text in (TREE | dict.fromkeys(release.SDIST_FILES, "") | sdist).items():
            member = tarfile.TarInfo(f"a/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return build


def test_only_the_packages_and_what_describes_them_are_released(tmp_path: Path) -> None:
    """A file that does not belong into the wheel or the sdist is named."""
    release.check_contents(write_release(tmp_path, wheel={}, sdist={}), tmp_path / "tree")
    for kind, name in (("wheel", "tests/test_a.py"), ("sdist", ".env"), ("wheel", "pinecone_admin/notes.txt")):
        build = write_release(tmp_path, **{"wheel": {}, "sdist": {}, kind: {name: ""}})
        with pytest.raises(release.ReleaseError, match=rf"should not contain: {name}"):
            release.check_contents(build, tmp_path / "tree")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """A file of a package that the wheel and the sdist lack is named."""
    build = write_release(tmp_path, wheel={}, sdist={})
    (tmp_path / "tree/pinecone_admin/page.css").touch()
    with pytest.raises(release.ReleaseError, match=r"a\.whl misses, or should not contain: pinecone_admin/page\.css"):
        release.check_contents(build, tmp_path / "tree")


@pytest.mark.parametrize(
    "secret",
    ["pcsk_" + "a1" * 20, "-----BEGIN RSA " + "PRIVATE KEY-----", "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.x"],
)
def test_secrets_are_found(secret: str, tmp_path: Path) -> None:
    """An API key, a private key and a token are found in any file."""
    build = write_release(tmp_path, wheel={}, sdist={"pinecone_admin/__init__.py": f"x = {secret!r}"})
    with pytest.raises(release.ReleaseError, match=r"may contain a secret: pinecone_admin/__init__\.py"):
        release.check_contents(build, tmp_path / "tree")


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    """The message about a build that differs names the files in it that do."""
    first = write_release(tmp_path, wheel={}, sdist={}).wheel.rename(tmp_path / "first.whl")
    second = write_release(tmp_path, wheel={"pinecone_admin/__init__.py": "x"}, sdist={}).wheel
    assert release.describe_difference(first, second) == "pinecone_admin/__init__.py"
    assert release.describe_difference(first, first) == "the same files in other archives"


def test_the_changelog_begins_with_the_version_and_its_date() -> None:
    """The time stamp of the files is the date of the version; another version is refused."""
    assert release.read_release_date(f"# Changelog\n\n## {__version__} - 2026-07-01\n").timestamp() == 1782864000
    for text in ("## Unreleased\n", "## 9.9.9 - 2026-07-01\n", f"## {__version__}\n"):
        with pytest.raises(release.ReleaseError, match="must begin with the version"):
            release.read_release_date(text)


def test_the_lowest_version_is_the_bound() -> None:
    """Each requirement is pinned to its lower bound, whatever its other bounds."""
    requirements = [Requirement("attrs>=23.2"), Requirement("httpx>=0.28,<0.29")]
    assert release.list_lowest_versions(requirements) == ["attrs==23.2", "httpx==0.28"]


def test_links_of_the_readme_are_absolute_outside_of_the_checkout() -> None:
    """Links to files become links to the version in the repository; others, and those within the page, stay."""
    page = "[a](docs/a.md#b) ![c](docs/c.png) [d](https://d.example) [e](#e) `f[0](g)`"
    absolute = release.make_links_absolute(page, "https://repository.example/x/")
    prefix = "https://repository.example/x"
    assert absolute.split()[:4] == [
        f"[a]({prefix}/blob/v{__version__}/docs/a.md#b)",
        f"![c]({prefix}/raw/v{__version__}/docs/c.png)",
        "[d](https://d.example)",
        "[e](#e)",
    ]


def test_a_python_that_is_not_there_is_named() -> None:
    """Without the oldest supported Python, nothing is tried with another one in its place."""
    with pytest.raises(release.ReleaseError, match=r"Python 3\.99 was not found as python3\.99"):
        release.find_pythons("3.99")
