"""scripts/smoke --httpx2: pinned versions, the tests that it leaves out, and the page that names them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMOKE = (ROOT / "scripts/smoke").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/stability.md").read_text(encoding="utf-8")


def read_pins(name: str) -> dict[str, tuple[str, int]]:
    """Return the version of each package in a file of requirements, and the number of its hashes."""
    text = (ROOT / f"scripts/requirements/{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    pins = [re.match(r"([\w.-]+)==([\w.]+)", block) for block in blocks]
    return {pin[1]: (pin[2], block.count("--hash=sha256:")) for pin, block in zip(pins, blocks, strict=True) if pin}


def test_every_package_is_pinned_with_hashes() -> None:
    """Each package has hashes, and the version that the other tests use."""
    pins, own = read_pins("httpx2"), read_pins("dev")
    assert pins["httpx2"][0] == re.findall(r"httpx2 ([\d.]+\d)", PAGE)[0]
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []
    assert {name: pin for name, pin in pins.items() if own.get(name, pin)[0] != pin[0]} == {}
    assert own.keys() & pins.keys() > {"pytest", "httpx", "trio"}


def test_only_the_test_that_the_page_explains_is_left_out() -> None:
    """The sync and the async test of one address are left out, exist, and are what the page on stability names."""
    left_out = re.findall(r'--deselect "(tests/_a?sync/\w+\.py)::(\w+)\[host-\'(\S+)\'\]"', SMOKE)
    assert len(left_out) == SMOKE.count("--deselect") == 2
    for path, name, address in left_out:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in text
        assert f'"{address}"' in text
        assert f"`{address}`" in PAGE
