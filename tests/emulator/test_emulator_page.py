"""The page at `/` of a served emulator: its contents, its readers, and its look in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.emulator.api.messages import Request
from pinecone_admin.emulator.control.page import SHOWN
from pinecone_admin.emulator.control.routes import handle_control_request, is_control_request
from tests.support.browser import Browser, open_browser

Connect = Callable[..., httpx.Client]

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
HOSTILE = "<script>document.title = 'taken'</script>{x}\u202e\"'&"


def read_page(emulator: Emulator, query: str = "", **headers: str) -> str:
    """Return the page as a browser of this machine gets it."""
    request = Request("GET", "/", {"host": "localhost", "accept": HTML, **headers}, query)
    assert is_control_request(request)
    response = handle_control_request(emulator, request)
    assert response.status == 200
    return response.body.decode()


def read_text(page: str) -> str:
    """Return the text of a page without its style, its script and its markup."""
    return " ".join(
        unescape(re.sub(r"<style>.*?</style>|<script>.*</script>|<[^>]+>", " ", page, flags=re.DOTALL)).split()
    )


def fill(emulator: Emulator) -> str:
    """Give an organization one of each thing, and return the value of its key."""
    emulator.load(
        {
            "organization": {"plan": "Standard"},
            "projects": [
                {
                    "name": "search",
                    "id": "22222222-2222-4222-8222-222222222222",
                    "api_keys": [{"name": "ci", "id": "44444444-4444-4444-8444-444444444444"}],
                    "indexes": [{"name": "movies"}],
                }
            ],
            "invites": [{"email": "bob@example.com"}],
        }
    )
    (project,) = emulator.state.projects.values()
    emulator.add_user("ada@example.com", name="Ada", roles=["OrgMember", ("ProjectOwner", project.id)])
    emulator.faults.add("create_project", status=503, retry_after=3, times=2)
    (key,) = emulator.state.api_keys.values()
    return key.value


def test_page_shows_the_organization_without_secrets(emulator: Emulator, connect: Connect) -> None:
    """The page shows the organization, projects, keys, people, roles, requests and waiting faults, and no secret."""
    value = fill(emulator)
    api = connect(emulator)
    token = api.headers["Authorization"].removeprefix("Bearer ")
    for name in ("chat", "chat", "late"):
        api.post(
            f"/admin/projects?q={value}",
            json={"name": name, "secret": emulator.client_secret},
            headers={"Api-Key": value},
        )
    emulator.faults.add("list_users", drop="before")
    page = read_page(emulator)
    text = read_text(page)
    for shown in (
        "Emulated Organization Standard plan Active permissions published",
        "2 projects 1 keys 2 users 1 open invites 1 accounts",
        "4 requests 1 faults that wait",
        "list_users drop before 0 of 1",
        "search 22222222-2222-4222-8222-222222222222 ci ProjectEditor indexes movies",
        "Ada ada@example.com OrgMember ProjectOwner on search",
        "bob@example.com invited, pending, until",
        "emulator service account",
        "POST /admin/projects?q=***",
        '"name": "late"',
        "authorization: Bearer ***",
        "projects.create 503 status",
    ):
        assert shown in text
    assert [secret for secret in (value, token, emulator.client_secret) if secret in page] == []
    assert text.index('"late"') < text.index('"chat"')


def test_only_a_browser_gets_the_page(emulator: Emulator) -> None:
    """Other requests for `/` are answered as for any unknown route; those for the page are in no log."""
    with serving(emulator) as url, httpx.Client(base_url=url) as http:
        page = http.get("/", headers={"Accept": HTML})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert len(emulator.requests) == 0
        for method, path, accept in (("GET", "/", "*/*"), ("POST", "/", HTML), ("GET", "/x", HTML)):
            assert http.request(method, path, headers={"Accept": accept}).json()["error"]["code"] == "UNAUTHENTICATED"
        assert len(emulator.requests) == 3


@pytest.mark.parametrize(
    "headers", [{"host": "emulator.example.com"}, {"origin": "https://example.com"}, {"origin": "null"}]
)
def test_web_pages_of_others_cannot_read_the_page(emulator: Emulator, headers: dict[str, str]) -> None:
    """A request under the name of another host, or from another origin, is refused, as below `/_emulator`."""
    request = Request("GET", "/", {"host": "localhost", "accept": HTML, **headers})
    response = handle_control_request(emulator, request)
    assert response.status == 403
    assert b"Emulated Organization" not in response.body
    read_page(emulator, origin="http://localhost")


def make_hostile(emulator: Emulator, api: httpx.Client) -> None:
    """Use a name that is a script wherever a name can stand."""
    emulator.state.organization.name = HOSTILE
    project = emulator.state.add_project(HOSTILE, emulator.clock.now())
    emulator.state.add_api_key(project, HOSTILE)
    emulator.hold(project.id, "indexes", HOSTILE)
    emulator.add_user("eve@example.com", name=HOSTILE)
    emulator.add_client(roles=[("ProjectOwner", project.id)], name=HOSTILE)
    emulator.faults.add(HOSTILE, method="GET", path=f"/{HOSTILE}".replace("?", ""), id=HOSTILE, delay=1)
    api.post("/<script>", json={HOSTILE: HOSTILE}, headers={"X-Name": "<script>"})


def test_names_are_no_markup(emulator: Emulator, api: httpx.Client) -> None:
    """Names from others are text on the page, also in the form."""
    make_hostile(emulator, api)
    page = read_page(emulator, "search=%22%3E%3Cscript%3E&method=%22%3E%3Cscript%3E") + read_page(emulator)
    assert page.count("<script>") == 2  # one on each
    assert read_text(page).count("document.title") >= 10
    assert 'value="&quot;&gt;&lt;script&gt;"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("search=PROJECTS.create", [1, 3]),
        ("search=users", [2]),
        ("method=POST", [0, 1, 3]),
        ("status=2&method=", [0, 1, 2]),
        ("status=none", [3]),
        ("fault=yes", [3]),
        ("fault=no&search=projects", [1]),
        ("search=nothing", []),
    ],
)
def test_requests_are_filtered(emulator: Emulator, api: httpx.Client, query: str, found: list[int]) -> None:
    """The form selects requests by text, method, status and fault, and shows what it has selected."""
    emulator.faults.add("create_project", drop="after", skip=1)
    api.post("/admin/projects", json={"name": "x"})
    api.get("/admin/users")
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/admin/projects", json={"name": "x"})
    page = read_page(emulator, query)
    shown = re.findall(r"<summary[^>]*><b>(\w+)</b> (\S+)</summary>", page)
    entries = list(emulator.requests)
    assert shown == [(entries[index].method, entries[index].path) for index in reversed(found)]
    assert [
        f'value="{value}" selected' in page for name, value in re.findall(r"(\w+)=(\w+)", query) if name != "search"
    ].count(False) == 0
    assert ("None of them matches." in page) == (not found)


def test_a_large_organization_is_cut_off(emulator: Emulator, api: httpx.Client) -> None:
    """Of many records the first are shown, of many requests the last, with the number of the others."""
    now = emulator.clock.now()
    project = emulator.state.add_project("search", now)
    for number in range(SHOWN + 5):
        emulator.state.add_user(f"user{number}@example.com")
        emulator.state.add_api_key(project, f"key{number}")
        emulator.hold(project.id, "indexes", f"index{number}")
    for number in range(SHOWN + 7):
        api.get(f"/unknown/{number}")
    text = read_text(read_page(emulator))
    assert f"user{SHOWN - 2}@example.com" in text
    assert f"user{SHOWN - 1}@example.com" not in text
    assert (text.count("and 6 more"), text.count("and 8 more")) == (1, 1)  # the owner; the exchange for the token
    assert text.count(f"and {SHOWN - 15} more") == 2
    assert f"/unknown/{SHOWN + 6} " in text
    assert "/unknown/6 " not in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a browser for all tests here."""
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


ROWS = "document.querySelectorAll('#requests tbody tr').length"


@pytest.mark.long
def test_page_in_a_browser(browser: Browser, emulator: Emulator, connect: Connect) -> None:
    """The page refreshes itself, keeps what is open, filters while one types, and says when nobody responds."""
    with serving(emulator) as url:
        api = connect(emulator)
        make_hostile(emulator, api)
        browser.show(1280)
        browser.go_to(url)
        browser.wait_for("live.className === 'live'")
        assert browser.evaluate("document.title") == HOSTILE
        assert browser.evaluate(ROWS) == 2
        browser.evaluate("document.querySelector('#requests summary').click()")
        api.get("/admin/users")
        browser.wait_for(f"{ROWS} === 3")
        opened = "[...document.querySelectorAll('#requests details')].map(each => each.open)"
        assert browser.evaluate(opened) == [False, True, False]
        browser.evaluate("form.search.value = 'users'; form.dispatchEvent(new Event('input'))")
        browser.wait_for(f"{ROWS} === 1")
        assert browser.evaluate("location.search") == "?search=users"
        assert browser.evaluate("getComputedStyle(document.querySelector('section')).borderRadius") == "10px"
    browser.wait_for("live.className === 'lost'")


@pytest.mark.long
def test_page_at_each_width_and_without_scripts(
    browser: Browser, emulator: Emulator, connect: Connect, tmp_path: Path
) -> None:
    """Nothing is wider than the window, light or dark, and all can be read without scripts."""
    fill(emulator)
    make_hostile(emulator, connect(emulator))
    backgrounds: set[str] = set()
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    with serving(emulator) as url:
        for width in (1280, 390):
            for dark in (False, True):
                browser.show(width, dark=dark)
                browser.go_to(f"{url}/?search=script")
                wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                assert browser.evaluate(wide) is False
                assert browser.evaluate(ROWS) == 1
                assert browser.evaluate("document.getElementById('live').className") == ""
                backgrounds.add(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
                browser.save_picture(tmp_path / f"page-{width}-{'dark' if dark else 'light'}.png")
    assert len(backgrounds) == 2
