"""The site in a browser: no page, table or line of code is wider than its column, and no text than its box."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import escape, unescape
from pathlib import Path

import pytest

from tests.support.programs import find_program
from tests.support.recipes import ROOT

WIDTHS = (1280, 390)
"""The widths of the windows in pixels."""

# Code and pictures may scroll sideways on a phone, where no other layout would be readable.
SCRIPT = """
const found = [];
for (const frame of document.querySelectorAll("iframe")) {
  const inner = frame.contentDocument, root = inner.documentElement;
  const report = element => found.push(`${frame.title}: ${element.textContent.trim().slice(0, 60)}`);
  if (root.scrollWidth > root.clientWidth) report(inner.querySelector("h1") || root);
  for (const each of inner.querySelectorAll("article *")) {
    const free = root.clientWidth < 1000 && each.matches("pre, p:has(> img)");
    const scrolls = frame.contentWindow.getComputedStyle(each).overflowX !== "visible";
    if (each.clientWidth && scrolls && !free && each.scrollWidth > each.clientWidth + 1) report(each);
  }
  const boxes = [...inner.querySelectorAll("svg > rect[rx]")].map(each => each.getBBox());
  for (const each of boxes.length ? inner.querySelectorAll("svg > text") : []) {
    const text = each.getBBox();
    const within = (value, start, size) => start <= value && value < start + size;
    const around = boxes.filter(box => within(text.x, box.x, box.width) && within(text.y, box.y, box.height));
    if (around.some(box => text.x + text.width > box.x + box.width - 6)) report(each);
  }
}
document.querySelector("output").textContent = JSON.stringify(found);
"""


@pytest.mark.long(17)
def test_nothing_on_the_site_is_wider_than_its_column(tmp_path: Path) -> None:
    """Nothing scrolls sideways, except that code and pictures do so on a phone."""
    site, page = tmp_path / "site", tmp_path / "frames.html"
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--quiet",
        "--doctree-dir",
        str(tmp_path / "doctrees"),
        str(ROOT / "docs"),
    ]
    subprocess.run([*command, str(site)], check=True, timeout=900)
    frames = [
        f'<iframe src="{path.as_uri()}" title="{escape(path.stem)} at {width}" width="{width}" height="900"></iframe>'
        for path in sorted(site.rglob("*.html"))
        for width in WIDTHS
    ]
    frames += [
        f'<iframe src="{path.as_uri()}" title="{path.name}" width="900" height="900"></iframe>'
        for path in (ROOT / "docs").glob("*.svg")
    ]
    assert len(frames) > 100
    text = f"<output></output>{''.join(frames)}<script>onload = () => {{{SCRIPT}}}</script>"
    page.write_text(text, encoding="utf-8")
    assert list_wide_elements(page) == []


def list_wide_elements(page: Path) -> list[str]:
    """Return what the script of a page has found."""
    quiet = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    options = [*quiet.split(), "--allow-file-access-from-files", f"--user-data-dir={page.parent}/profile", "--dump-dom"]
    command = [find_program("chromium"), *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    (output,) = re.findall(r"<output>(.*?)</output>", done.stdout, re.DOTALL)
    found: list[str] = json.loads(unescape(output))
    return found
