"""The site in a browser: nothing is wider than its column, the search finds the page, and code can be copied."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock

from tests.support.programs import find_program
from tests.support.recipes import ROOT

pytestmark = pytest.mark.long

WIDTHS = (1280, 390)
"""The widths of the windows in pixels."""

# Code and pictures may scroll sideways on a phone, where no other layout would be readable.
MEASURE = """
const found = [];
for (const frame of document.querySelectorAll("iframe")) {
  const inner = frame.contentDocument, root = inner.documentElement;
  const measure = title => {
    const report = element => found.push(`${title}: ${element.textContent.trim().slice(0, 60)}`);
    const isLongList = /^(changelog|emulator-confidence|reference\\/operations) /.test(title);
    const isTall = root.clientWidth > 1000 && root.scrollHeight > 13000 && !isLongList;
    if (isTall || root.scrollWidth > root.clientWidth) report(inner.querySelector("h1") || root);
    for (const each of inner.querySelectorAll("article *, .announcement")) {
      const free = root.clientWidth < 1000 && each.matches("pre, p:has(> img)");
      const scrolls = frame.contentWindow.getComputedStyle(each).overflowX !== "visible";
      if (each.clientWidth && scrolls && !free && each.scrollWidth > each.clientWidth + 1) report(each);
    }
    for (const each of inner.querySelectorAll("button.copy")) {
      const block = each.parentElement.querySelector("pre");
      const { paddingTop } = frame.contentWindow.getComputedStyle(block);
      const firstLine = block.getBoundingClientRect().top + parseFloat(paddingTop);
      if (each.getBoundingClientRect().bottom > firstLine + 1) report(block);
    }
    const boxes = [...inner.querySelectorAll("svg > rect[rx]")].map(each => each.getBBox());
    for (const each of boxes.length ? inner.querySelectorAll("svg > text") : []) {
      const text = each.getBBox();
      const within = (value, start, size) => start <= value && value < start + size;
      const around = boxes.filter(box => within(text.x, box.x, box.width) && within(text.y, box.y, box.height));
      if (around.some(box => text.x + text.width > box.x + box.width - 6)) report(each);
    }
  };
  measure(`${frame.title} at ${frame.width}`);
  for (const [name, main] of frame.title === "index" ? Object.entries(mains) : []) {
    inner.querySelector(".main").outerHTML = main;
    inner.querySelectorAll("div.highlight:not(.usage *)").forEach(frame.contentWindow.addCopyButton);
    measure(`${name} at ${frame.width}`);
  }
}
document.querySelector("output").textContent = JSON.stringify(found);
"""


SEARCHES = {
    "tutorial": ["getting started", "quickstart", "hello world", "try without account"],
    "index": ["license", "create an index", "official"],
    "installation": ["uninstall", "pip install", "get credentials"],
    "configuration": ["environment variables", "base url", "limit concurrency", "firewall"],
    "command-line": [
        "cli",
        "bash completion",
        "shell completion zsh",
        "dry run",
        "multiple organizations",
        "two accounts",
        "who changed this",
        "wrong organization",
    ],
    "coming-from-the-official-sdk": ["official sdk", "migrate from pinecone sdk"],
    "how-to/create-and-find": ["create api key", "project by name", "list api keys"],
    "limits": ["read only"],
    "how-to/key-for-one-test-run": ["temporary key", "expiring keys", "expire", "key expiration"],
    "how-to/rotate-a-key": ["rotate keys", "how to rotate an api key"],
    "how-to/rotate-every-night": [
        "vault",
        "kubernetes",
        "google secret manager",
        "rotate automatically",
        "external secrets operator",
        "two secret stores",
    ],
    "how-to/rotate-account-secrets": ["rotate own account"],
    "how-to/invite-a-person": ["add a user", "resend invite"],
    "how-to/offboard-a-person": ["remove user", "how do I delete a user", "offboarding", "ex-employee"],
    "how-to/scim": ["sso", "single sign-on", "okta", "2fa", "mfa"],
    "how-to/provision-a-tenant": ["multi tenant", "many projects", "async semaphore"],
    "how-to/organization-in-a-file": ["gitops", "infrastructure as code", "temporary access", "access until a date"],
    "how-to/beside-terraform": ["terraform", "terraform state", "terra", "opentofu"],
    "workflows": [
        "delete project",
        "change a user's role",
        "deletion protection",
        "roll back",
        "idempotent",
        "custom vault class",
    ],
    "how-to/review-access": [
        "audit",
        "who has access",
        "unused keys",
        "who can write to project",
        "key last used",
        "stale accounts",
        "pandas",
        "polars",
        "plot",
        "jupyter",
    ],
    "how-to/github-actions-and-gitlab": ["github actions", "gitlab", "pull request comment"],
    "how-to/django-celery-fastapi": ["django", "celery", "celery lock", "fastapi", "web framework", "aws lambda"],
    "how-to/ci-identity": ["ci identity", "oidc", "CI without a stored key"],
    "how-to/share-tokens": ["token cache", "bearer token", "token for curl"],
    "tokens-and-networks": [
        "thread safe",
        "thread safety",
        "graceful shutdown",
        "is it thread-safe?",
        "proxy",
        "run behind a corporate proxy",
        "does it work with asyncio",
        "fork gunicorn",
        "http2",
        "self signed certificate",
        "tls verification",
    ],
    "timeouts-and-retries": [
        "timeout",
        "deadline",
        "cancel",
        "asyncio.timeout",
        "backoff",
        "is a create retried",
        "connection reset",
        "pinecone is down",
    ],
    "observability": ["logging", "opentelemetry", "datadog"],
    "errors-by-code": ["help code", "exception hierarchy", "what does PA code mean"],
    "reference/commands": ["command reference"],
    "reference/commands/topics": ["exit codes", "jmespath"],
    "reference/commands/api-key": ["rotate-due"],
    "reference/commands/running": ["invite many people csv", "bulk delete keys"],
    "reference/models": ["role names"],
    "reference/projects": ["rename a project", "projects.create", "delete_stale"],
    "errors": [
        "429",
        "rate limits",
        "permission denied",
        "403",
        "429 too many requests",
        "401 unauthorized",
        "quota exceeded",
        "rate limit",
        "sentry",
    ],
    "runbooks/leaked-key": ["leaked key", "api key compromised", "my key leaked"],
    "runbooks/leaked-account-secret": ["rotate a service account secret"],
    "runbooks/create-with-unknown-outcome": ["duplicate project", "unknown outcome", "my create timed out"],
    "runbooks/lost-or-last-owner": ["last owner"],
    "emulator": ["docker", "docker compose", "testcontainers"],
    "emulator-control": ["reset the emulator"],
    "how-to/test-with-the-emulator": [
        "test roles",
        "mock",
        "testing",
        "pytest fixture",
        "offline tests",
        "replay a session",
        "simulate a crash",
        "test a secret store",
    ],
    "emulator-rules": ["permission matrix", "roles"],
    "emulator-rules/people": ["invite expires"],
    "emulator-rules/project-contents": ["index quota"],
    "how-to/send-an-operation": ["raw request"],
    "performance": ["import time", "slow requests"],
    "type-checkers": ["mypy", "pyright", "type hints"],
    "platforms": ["windows", "python 3.14", "does it run on mac"],
    "contributing": ["how do I contribute", "code style", "report a bug"],
    "security": ["report a vulnerability", "man in the middle"],
    "stability": ["semver", "breaking changes", "upgrade notes"],
    "changelog": ["release notes", "changelog"],
    "reference/organizations": ["billing"],
    "runbooks/names-with-tilde": ["key named ~rotates"],
    "runbooks/offboarding-evidence": ["soc 2 evidence"],
    "threat-model": ["where are secrets stored", "file permissions"],
    "reference/workflows": ["open a ticket for each failed step"],
    "conformance/README": ["record the service"],
    "reference/lists": ["page size", "pagination"],
    "reference/client": ["AsyncAdmin", "async client"],
    "reference/errors": ["AmbiguousNameError"],
}
"""The searches of people, by the page that comes first."""

SEARCH = """
const pages = queries.map(query => (Search._performSearch(...Search._parseQuery(query)).at(-1) || ["nothing"])[0]);
pages.push(localStorage.getItem("sphinx_highlight_terms"));
document.querySelector("output").textContent = JSON.stringify(pages);
"""

COPY = """
Object.defineProperty(navigator, "clipboard", { value: { writeText: async text => copied.push(text) } });
const copied = [];
addEventListener("load", () => {
  document.querySelectorAll("button.copy").forEach(button => button.click());
  document.body.replaceChildren(document.createElement("output"));
  document.querySelector("output").textContent = JSON.stringify(copied);
});
"""


PLACE = """
const inner = document.querySelector("iframe").contentDocument;
const isInView = each => {
  const { top, bottom, left, right } = each.getBoundingClientRect();
  return top >= 0 && bottom <= 600 && left >= 0 && right <= 1280;
};
document.querySelector("output").textContent = JSON.stringify([
  inner.querySelectorAll(".sidebar-tree details[open]").length,
  isInView(inner.querySelector(".sidebar-tree .current-page")),
  isInView(inner.querySelector(".toc-tree li li a")),
]);
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, unless it is built or another process of the run does: then wait for it."""
    base = tmp_path_factory.getbasetemp()
    with FileLock((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site.lock"):
        subprocess.run([ROOT / "scripts/docs"], check=True, timeout=900)
    return ROOT / "build/docs"


def test_nothing_on_the_site_is_wider_than_its_column(site: Path, tmp_path: Path) -> None:
    """Only code and pictures scroll sideways, on a phone; no button hides code; three long lists are very tall."""
    paths = {str(path.relative_to(site).with_suffix("")): path for path in sorted(site.rglob("*.html"))}
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    # The others are shown in turn with the head, the sidebar and the scripts of the index, which take longest to load.
    loaded = [name for name, text in texts.items() if "<img" in text or name == "index"]
    mains = {name: find_main(text) for name, text in texts.items() if name not in loaded}
    assert len(mains) > 90
    frames = [
        f'<iframe src="{paths[name].as_uri()}" title="{escape(name)}" width="{width}" height="900"></iframe>'
        for name in loaded
        for width in WIDTHS
    ]
    frames += [
        f'<iframe src="{path.as_uri()}" title="{path.name}" width="900" height="900"></iframe>'
        for path in (ROOT / "docs").glob("contributing/*.svg")
    ]
    data = json.dumps(mains).replace("</", "<\\/")
    page = tmp_path / "frames.html"
    text = f"<output></output>{''.join(frames)}<script>const mains = {data}; onload = () => {{{MEASURE}}}</script>"
    page.write_text(text, encoding="utf-8")
    assert run_page(page) == []


def find_main(text: str) -> str:
    """Return the element of a page that has its contents, whatever is beside the sidebar."""
    (main,) = re.findall(r'<div class="main">.+</aside>\n  </div>(?=\n</div><script)', text, re.DOTALL)
    return str(main)


def test_the_search_finds_the_page_that_answers_first(site: Path, tmp_path: Path) -> None:
    """By the words of people, which may be others than those of the page, in any order and form, and in a sentence."""
    expected = [(query, page) for page, queries in SEARCHES.items() for query in queries]
    assert len(expected) >= 50
    files = ["documentation_options", "doctools", "sphinx_highlight", "searchtools", "language_data"]
    sources = [(site / each).as_uri() for each in (*(f"_static/{name}.js" for name in files), "searchindex.js")]
    scripts = "".join(f'<script src="{source}"></script>' for source in sources)
    queries = json.dumps([query for query, _ in expected])
    page = tmp_path / "all_searches.html"
    page.write_text(f"<output></output>{scripts}<script>const queries = {queries};{SEARCH}</script>", encoding="utf-8")
    *found, highlighted = run_page(page)
    assert highlighted == expected[-1][0].lower()
    assert [(*pair, first) for pair, first in zip(expected, found, strict=True) if pair[1] != first] == []


def test_the_button_at_code_copies_it_without_prompts_and_results(site: Path, tmp_path: Path) -> None:
    """On the page of the reference whose examples are sessions of Python."""
    text = (site / "reference/projects.html").read_text(encoding="utf-8")
    page = tmp_path / "copied.html"
    head = f'<head><base href="{(site / "reference").as_uri()}/"><script>{COPY}</script>'
    page.write_text(text.replace("<head>", head, 1), encoding="utf-8")
    copied = run_page(page)
    assert copied[0] == "admin.projects.list() -> list[Project]\n"
    assert copied[1] == "[project.name for project in admin.projects.list()]\n"
    assert ">>>" not in json.dumps(copied)


def test_a_page_shows_where_it_is_and_what_is_on_it_in_1280_pixels(site: Path, tmp_path: Path) -> None:
    """The section of the current page is unfolded, and this page and its own contents are in view."""
    page = tmp_path / "frame.html"
    source = (site / "threat-model.html").as_uri()
    page.write_text(
        f'<output></output><iframe src="{source}" width="1280" height="600"></iframe>'
        f"<script>onload = () => {{{PLACE}}}</script>",
        encoding="utf-8",
    )
    assert run_page(page) == [1, True, True]


def test_the_menu_has_five_doors_and_no_page_for_contributors(site: Path) -> None:
    """The first page of each door is at the top of every page; appendices are in no menu, and not in the search."""
    text = (site / "how-to/scim.html").read_text(encoding="utf-8")
    (menu,) = re.findall(r'<nav class="doors".+?</nav>', text)
    doors = re.findall(r'<a href="([^"]+)"( aria-current="true")?><span[^>]*>(\w+)<', menu)
    assert [(name, target, bool(current)) for target, current, name in doors] == [
        ("Start", "../index.html", False),
        ("Guides", "index.html", True),
        ("Understand", "../workflows.html", False),
        ("Reference", "../reference/index.html", False),
        ("Trust", "../security.html", False),
    ]
    (tree,) = re.findall(r'<div class="sidebar-tree">.+?</div>\s*<(?!/?li|/?ul|a|label|input|details)', text, re.DOTALL)
    assert "runbooks/leaked-key.html" in tree
    assert not re.findall(r'href="[^"]*(?:contributing|reference/bodies|reference/operations)[^"]*"', tree)
    index = json.loads((site / "searchindex.js").read_text("utf-8").removeprefix("Search.setIndex(").removesuffix(")"))
    hidden = {number for number, name in enumerate(index["docnames"]) if name.startswith("contributing/")}
    assert len(hidden) > 5
    assert {index["titles"][number] for number in hidden} == {""}
    found = [pages if isinstance(pages, list) else [pages] for pages in index["terms"].values()]
    assert hidden.isdisjoint({page for pages in found for page in pages})


def test_each_page_is_described_by_words_of_its_own(site: Path) -> None:
    """In more than a few words, which is all that a search engine or the preview of a link shows."""
    pages = [path for path in sorted(site.rglob("*.html")) if path.name != "search.html"]
    texts = [path.read_text(encoding="utf-8") for path in pages]
    descriptions = ["".join(re.findall('<meta name="description" content="(.+?)"', text)) for text in texts]
    short = [path.name for path, text in zip(pages, descriptions, strict=True) if len(text) < 50]
    assert not short
    assert len(set(descriptions)) == len(pages)


def run_page(page: Path) -> list[object]:
    """Return what the script of a page has found."""
    quiet = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run"
    with TemporaryDirectory() as profile:
        options = [*quiet.split(), "--allow-file-access-from-files", f"--user-data-dir={profile}", "--dump-dom"]
        command = [find_program("chromium"), *options, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=900)
    (output,) = re.findall(r"<output>(.*?)</output>", done.stdout, re.DOTALL)
    found: list[object] = json.loads(unescape(output))
    return found
