"""Programs of the pages that replace several keys: the value of each new one is kept, though two have one name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin.testing import emulate
from tests.support.recipes import list_blocks

# Page → a part of its program, and what begins its work, if it does not do it by itself.
PROGRAMS: Mapping[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "docs/how-to/rotate-every-night.md": ("several keys of the project are named", lambda _: None),
    "docs/how-to/offboard-a-person.md": (
        "def offboard(email: str)",
        lambda program: program["offboard"]("ada@example.com"),
    ),
    "docs/runbooks/offboarding-evidence.md": (
        "def replace(",
        lambda program: program["offboard_with_evidence"]("ada@example.com", file=Path("ada.json")),
    ),
    "docs/runbooks/leaked-key.md": ("def find_and_replace(", lambda _: None),
}


@pytest.mark.parametrize("page", PROGRAMS)
def test_no_value_of_a_new_key_is_lost(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new key has its value in the secret store; what could not be kept apart was not replaced."""
    monkeypatch.chdir(tmp_path)
    part, begin = PROGRAMS[page]
    (text,) = [block.text for block in list_blocks(page) if part in block.text]
    with emulate() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.create(name="search")
            *_, last = [admin.api_keys.create(project_id=project.id, name="web") for _ in range(2)]
        emulator.add_user("ada@example.com", roles=["OrgMember", ("ProjectEditor", project.id)])
        emulator.clock.advance(91 * 86_400)
        Path("leaked.txt").write_text(last.value)
        old = {key.value for key in emulator.state.api_keys.values()}
        program: dict[str, Any] = {"__name__": "recipe"}
        with suppress(SystemExit):
            exec(compile(text, page, "exec"), program)
            begin(program)
        values = {key.value for key in emulator.state.api_keys.values()}
        assert len(values) == 2
        assert values - old <= set(program["secret_store"].values())
        assert (values == old) == (page == "docs/how-to/rotate-every-night.md")
