"""Environments that have the package with some of its extras, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path
from venv import EnvBuilder

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
_OWN = ("pinecone_admin", "generated_client")
_SCRIPT = "#!{python}\nimport sys\nfrom {module} import {attribute}\nsys.exit({attribute}())\n"


def create_environment(folder: Path, extras: Iterable[str], tools: Iterable[str] = ()) -> Path:
    """Create a virtual environment as pip would, from the packages that are installed here, and return its bin folder.

    The packages are linked, which takes no network and no time. There is no pip in it.

    Args:
        folder: Where to create it.
        extras: The extras of the package.
        tools: Names of further distributions.
    """
    EnvBuilder(symlinks=True).create(folder)
    (site,) = folder.glob("lib/python3*/site-packages")
    own = Requirement(f"pinecone-admin[{','.join(extras)}]")
    for found in _find_distributions([own, *map(Requirement, tools)]):
        files = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        for name in files:
            if not name.endswith(".pth"):  # that of the editable install would add the checkout
                (site / name).symlink_to(str(found.locate_file(name)))
        for entry in found.entry_points.select(group="console_scripts"):
            if found.name in {own.name, *tools}:
                script = folder / "bin" / entry.name
                script.write_text(
                    _SCRIPT.format(python=folder / "bin/python", module=entry.module, attribute=entry.attr)
                )
                script.chmod(0o755)
    for name in _OWN:
        (site / name).symlink_to(ROOT / name)
    return folder / "bin"


def _find_distributions(wanted: list[Requirement]) -> Iterable[Distribution]:
    """Return the distributions that requirements need, with those that these need."""
    seen: set[tuple[str, str]] = set()
    found: dict[str, Distribution] = {}
    while wanted:
        requirement = wanted.pop()
        each = found.setdefault(canonicalize_name(requirement.name), distribution(requirement.name))
        for extra in ("", *requirement.extras):
            if (each.name, extra) not in seen:
                seen.add((each.name, extra))
                needed = map(Requirement, each.requires or ())
                wanted += [one for one in needed if one.marker is None or one.marker.evaluate({"extra": extra})]
    return found.values()
