"""``doctor`` finds each fault that keeps commands from working, and says how to fix it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from pinecone_admin.cli.doctor.checks import CHECKS, judge_probes
from pinecone_admin.cli.doctor.probes import Probe, classify_failure
from pinecone_admin.cli.profiles.files import find_profile_file
from pinecone_admin.cli.variables import COMPLETE_NAMES_VARIABLE, SWITCHES
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.testing import emulate
from tests.cli.command_line import Run, run, save_profile
from tests.faults.cases import fail_name_lookup, make_certificates, reply_in_plaintext
from tests.faults.external_servers import find_free_port
from tests.faults.server import TOKEN_PATH, Server, send_response

HTML = b"<html>a login page</html>"


def diagnose(*argv: str, env: Mapping[str, str | None] | None = None, stdin: str = "") -> Run:
    """Run ``doctor`` and check what holds for every run: each check has a result, and the exit code fits them."""
    done = run("doctor", *argv, env=env, stdin=stdin)
    assert [each["check"] for each in done.json if each["check"] in CHECKS], done
    assert {each["check"] for each in done.json} >= set(CHECKS)
    found = failures(done)
    assert done.exit == (1 if found else 0), done
    assert all(detail and fix for _, detail, fix in found)
    assert all(each["detail"] for each in done.json)
    return done


def failures(done: Run) -> list[tuple[str, str, str]]:
    """Return the checks that failed, each with what was found and the fix."""
    return [(each["check"], each["detail"], each["fix"]) for each in done.json if each["status"] == "failed"]


def status_of(done: Run, check: str) -> str:
    """Return the status of a check."""
    return str(next(each["status"] for each in done.json if each["check"] == check))


def without_styles(text: str) -> str:
    """Return what a terminal shows, without colors."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def served_by(server: Server, **changes: str) -> dict[str, str]:
    """Return an environment whose API and token endpoint are a server."""
    return {
        "PINECONE_CONTROLLER_HOST": server.url,
        "PINECONE_OAUTH_URL": server.url + TOKEN_PATH,
        "PINECONE_CLIENT_ID": "client-id",
        "PINECONE_CLIENT_SECRET": "client-secret",
        **changes,
    }


def test_a_healthy_setup_passes_every_check() -> None:
    """Each check has one line, in order, and none fails; also on a terminal."""
    with emulate():
        done = diagnose()
        assert [each["check"] for each in done.json] == list(CHECKS)
        assert {each["status"] for each in done.json} == {"ok"}
        shown = run("doctor", terminal=True)
    assert shown.exit == 0
    assert [line[8:24].strip() for line in without_styles(shown.stdout).splitlines()] == ["CHECK", *CHECKS]


def test_a_failure_has_its_fix_behind_it_on_a_terminal() -> None:
    """A person sees what failed, the fix, and what was skipped."""
    with emulate():
        done = run("doctor", terminal=True, env={"PINECONE_CLIENT_SECRET": None, "NO_COLOR": "1"})
    assert (done.exit, done.stderr) == (1, "")
    assert "no client secret. Fix: Set PINECONE_CLIENT_SECRET. " in " ".join(done.stdout.split())
    assert "skipped" in done.stdout


VARIABLES = [
    ({"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}, "You are not signed in", "Run pinecone-admin login"),
    ({"PINECONE_CLIENT_SECRET": None}, "no client secret", "Set PINECONE_CLIENT_SECRET"),
    (
        {"PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None, "PINECONE_API_KEY": "pcsk_abc"},
        "You are not signed in",
        "PINECONE_API_KEY is for another API",
    ),
    (
        {"PINECONE_CLIENT_SECRET": None, "PINECONE_CLIENTSECRET": "canary"},
        "PINECONE_CLIENTSECRET is no variable of this program",
        "rename it to PINECONE_CLIENT_SECRET",
    ),
    ({"PINECONE_CLIENT_ID": None, "PINECONE_ACESS_TOKEN": "canary"}, "PINECONE_ACESS_TOKEN is no", "PINECONE_ACCESS_"),
    ({"PINECONE_CLIENT_SECRET": "canary "}, "PINECONE_CLIENT_SECRET has leading or trailing", "correct"),
    ({"PINECONE_CLIENT_ID": "'canary'"}, "PINECONE_CLIENT_ID has quotes around", "without the quotes"),
    ({"PINECONE_CLIENT_SECRET": "can\nary"}, "PINECONE_CLIENT_SECRET contains a space", "correct"),
    ({"PINECONE_ACCESS_TOKEN": "pcsk_canary"}, "PINECONE_ACCESS_TOKEN is the value of an API key", "correct"),
    ({"PINECONE_ACCESS_TOKEN": ""}, "PINECONE_ACCESS_TOKEN is empty", "Set it to a value, or remove it"),
    ({"PINECONE_CLIENT_SECRET": ""}, "PINECONE_CLIENT_SECRET is empty", "Set it to a value, or remove it"),
    ({"PINECONE_CLIENT_SECRET": "pckey_canary"}, "PINECONE_CLIENT_SECRET holds an API key", "service account"),
    ({"PINECONE_ACCESS_TOKEN": "Bearer canary"}, 'must not include the "Bearer " prefix', "correct"),
    (
        {"PINECONE_ADMIN_READ_ONLY": "yes"},
        "is neither 0 nor 1, so commands that call the API stop",
        "PINECONE_ADMIN_READ_ONLY=1",
    ),
    ({"PINECONE_ADMIN_NO_PROMPT": "yes"}, "is neither 0 nor 1, so commands ask nothing", "PINECONE_ADMIN_NO_PROMPT=1"),
]


@pytest.mark.parametrize(("env", "detail", "fix"), VARIABLES, ids=[row[1].replace(" ", "-") for row in VARIABLES])
def test_a_wrong_variable_is_named_with_its_fix(env: dict[str, str | None], detail: str, fix: str) -> None:
    """A variable that is missing, misspelt or malformed is named, without its value; the network is checked anyway."""
    with emulate():
        done = diagnose(env=env)
    check, found, advice = failures(done)[0]
    assert [each["check"] for each in done.json].count("variables") == 1
    assert check == "variables"
    assert detail in found
    assert fix in advice
    assert "canary" not in done.stdout + done.stderr
    assert status_of(done, "connection") == "ok"


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_read_in_one_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """White space around 1 does not matter to the check, nor to the commands."""
    monkeypatch.setenv(name, " 1 ")
    with emulate():
        assert failures(diagnose()) == []
        refused = run("project", "create", "x", "--yes")
        assert refused.exit == (2 if name == "PINECONE_ADMIN_READ_ONLY" else 0), refused
        unasked = run("project", "create", "y", terminal=True, stdin="n\n")
        assert unasked.exit == (130 if name in {"PINECONE_ADMIN_ALLOW_HTTP", COMPLETE_NAMES_VARIABLE} else 2), unasked


def test_the_variables_of_an_env_file_are_checked_as_those_of_the_environment(tmp_path: Path) -> None:
    """Misspelled names in the file are listed, and the environment does not matter, except for its settings."""
    file = tmp_path / "env"
    file.write_text("PINECONE_CLIENT_ID=x\nPINECONE_CLIENTSECRET=canary\n")
    with emulate():
        done = diagnose("--env-file", str(file), env={"PINECONE_ADMIN_ALLOW_HTTP": "yes"})
    named = [detail for check, detail, _ in failures(done) if check == "variables"]
    assert [each.split()[0] for each in named] == ["PINECONE_CLIENTSECRET", "PINECONE_ADMIN_ALLOW_HTTP"]
    assert "canary" not in done.stdout


def test_a_secret_from_stdin_takes_the_place_of_the_variables() -> None:
    """A variable that stdin replaces is not asked for, and the token endpoint is checked although there is a token."""
    with emulate(Emulator(seed=0)) as emulator:
        for changes in ({}, {"PINECONE_ACCESS_TOKEN": "unused"}):
            addresses = {
                "PINECONE_CONTROLLER_HOST": "http://localhost:1",
                "PINECONE_OAUTH_URL": "http://localhost:2/oauth/token",
            }
            env = {"PINECONE_CLIENT_SECRET": None, **addresses, **changes}
            done = diagnose("--client-secret-stdin", env=env, stdin=emulator.client_secret)
            assert failures(done) == []
            (connection,) = (each for each in done.json if each["check"] == "connection")
            assert "localhost:2" in connection["detail"]


def test_a_variable_with_nearly_a_known_name_is_no_fault_beside_the_known_one() -> None:
    """A variable of another program does not matter where the right one is set."""
    with emulate():
        assert diagnose(env={"PINECONE_CLIENT_IDS": "x"}).exit == 0


def test_an_unknown_host_fails_the_look_up_and_nothing_behind_it_is_tried() -> None:
    """The name that is unknown is shown; what depends on it is skipped."""
    env = {
        "PINECONE_CONTROLLER_HOST": "https://nowhere.example",
        "PINECONE_OAUTH_URL": "https://elsewhere.example/oauth/token",
        "PINECONE_ACCESS_TOKEN": "token",
    }
    with fail_name_lookup(socket.EAI_NONAME):
        done = diagnose(env=env)
    assert failures(done) == [
        (
            "name look-up",
            "nowhere.example: the name is unknown",
            "check the spelling of the host, and the DNS of this machine. Behind a proxy, set HTTPS_PROXY",
        )
    ]
    skipped = [each["check"] for each in done.json if each["status"] == "skipped"]
    assert sorted(skipped) == sorted(CHECKS[CHECKS.index("connection") :])


def test_a_host_that_refuses_connections_fails_the_connection() -> None:
    """A wrong port is told from a wrong name."""
    env = {"PINECONE_CONTROLLER_HOST": f"http://127.0.0.1:{find_free_port()}", "PINECONE_ACCESS_TOKEN": "token"}
    done = diagnose(env=env)
    ((check, detail, _),) = failures(done)
    assert (check, status_of(done, "name look-up")) == ("connection", "ok")
    assert "refused" in detail


def test_a_broken_proxy_is_told_from_a_broken_server() -> None:
    """A proxy that is not there, that refuses or whose address is not valid fails the check of the proxy."""
    dead = f"http://ada:canary@127.0.0.1:{find_free_port()}"
    env = {"PINECONE_ACCESS_TOKEN": "token", "PINECONE_CONTROLLER_HOST": "https://api.example"}
    with Server(api_actions=[send_response(407)]) as server:
        proxies = {
            dead: "the connection was refused",
            server.url.replace("//", "//ada:canary@"): "status 407",
            "ftp://ada:canary@proxy.example": "HTTPS_PROXY is not the URL of",
        }
        for proxy, expected in proxies.items():
            done = diagnose(env={**env, "HTTPS_PROXY": proxy})
            ((check, detail, fix),) = failures(done)
            assert (check, expected in detail, "HTTPS_PROXY" in fix) == ("proxy", True, True), done
            assert ("127.0.0.1" in detail or proxy.startswith("ftp:"), detail.count(expected)) == (True, 1), detail
            assert "canary" not in done.stdout + done.stderr


def test_a_working_proxy_is_shown_without_its_credentials() -> None:
    """The proxy looks up hosts that are reached through it."""
    with emulate():
        done = diagnose(env={"HTTPS_PROXY": "http://ada:canary@proxy.example:3128"})
    details = {each["check"]: each["detail"] for each in done.json}
    assert details["proxy"] == "used: http://proxy.example:3128"
    assert details["name look-up"] == "left to the proxy"


def test_a_certificate_that_is_not_trusted_fails_with_its_reason(tmp_path: Path) -> None:
    """An unknown authority, another host and an expired certificate are told apart; SSL_CERT_FILE adds an authority."""
    authority = trustme.CA()
    certificates = make_certificates(authority)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    reasons = {
        "unknown": ("unable to get local issuer", "set SSL_CERT_FILE"),
        "other": ("not valid for", "check the host"),
        "expired": ("expired", "check the clock"),
    }
    for name, (reason, advice) in reasons.items():
        with Server(tls=certificates.servers[name]) as server:
            done = diagnose(env=served_by(server, SSL_CERT_FILE=str(trusted)))
        ((check, detail, fix),) = failures(done)
        assert (check, reason in detail, advice in fix) == ("certificates", True, True), done
        assert ("SSL_CERT_FILE" in fix) == (name == "unknown"), "another authority does not help"
    with Server(tls=certificates.servers["good"], api_actions=[send_response(404, HTML)]) as server:
        done = diagnose(env=served_by(server, SSL_CERT_FILE=str(trusted)))
        assert (status_of(done, "certificates"), status_of(done, "credentials")) == ("ok", "ok")
        ((check, _, _),) = failures(diagnose(env=served_by(server, SSL_CERT_FILE=str(tmp_path / "absent.pem"))))
        assert check == "certificates"


def test_a_server_without_tls_fails_the_certificates() -> None:
    """An https address of a server that speaks plain http is no certificate to trust, and the fix is the port."""
    with Server(connection_actions=[reply_in_plaintext]) as server:
        env = {"PINECONE_CONTROLLER_HOST": server.url.replace("http:", "https:"), "PINECONE_ACCESS_TOKEN": "token"}
        ((check, detail, fix),) = failures(diagnose(env=env))
    assert (check, "wrong version" in detail or "record" in detail) == ("certificates", True), detail
    assert ("SSL_CERT_FILE" in fix, "check the port" in fix) == (False, True)


def test_a_server_with_tls_behind_an_http_address_fails_the_connection() -> None:
    """The fix says that the address may have to begin with https."""
    certificates = make_certificates(trustme.CA())
    with Server(tls=certificates.servers["good"]) as server:
        env = {"PINECONE_CONTROLLER_HOST": server.url.replace("https:", "http:"), "PINECONE_ACCESS_TOKEN": "token"}
        ((check, _, fix),) = failures(diagnose(env=env))
    assert (check, "https://" in fix, "SSL_CERT_FILE" in fix) == ("connection", True, False)


def test_a_handshake_that_the_server_ends_is_no_matter_of_an_authority() -> None:
    """No error of TLS but that of an unknown authority advises SSL_CERT_FILE."""
    error = httpx.ConnectError("x")
    for reason in ("TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE", "UNEXPECTED_EOF_WHILE_READING"):
        error.__cause__ = ssl.SSLError(1, f"[SSL: {reason}] ended (_ssl.c:1)")
        error.__cause__.reason = reason
        stage, said, cause = classify_failure(error, through_proxy=False)
        assert (stage, said.replace(" ", "_").upper()) == ("certificates", reason)
        ((_, _, _, fix), *_) = [
            each for each in judge_probes([Probe(url="https://x", failed=stage, cause=cause)], proxies=[]) if each.fix
        ]
        assert "SSL_CERT_FILE" not in fix


def test_a_clock_that_differs_from_the_server_fails_with_the_difference() -> None:
    """A clock is wrong in either direction, which is said in days and hours; the other checks go on."""
    for year, word in ((2020, "ahead of"), (2090, "behind")):
        emulator = Emulator(seed=0, clock=Clock(datetime(year, 1, 1, tzinfo=UTC)))
        with emulate(emulator):
            done = diagnose()
        ((check, detail, fix),) = failures(done)
        assert (check, word in detail, "days" in detail, "NTP" in fix) == ("clock", True, True, True)
        assert status_of(done, "roles") == "ok"


def test_a_token_endpoint_that_fails_is_told_from_wrong_credentials() -> None:
    """A failing endpoint, a page in its place and refused credentials have three different fixes."""
    for fault, fix in (
        ({"status": 503}, "try again later"),
        ({"status": 501, "body": "html"}, "PINECONE_OAUTH_URL"),
        ({"status": 404, "body": "html"}, "PINECONE_OAUTH_URL"),
    ):
        with emulate() as emulator:
            # The first request of each run is the one that looks only whether there is a response.
            emulator.faults.add("get_token", times=None, **fault)
            ((check, _, advice),) = failures(diagnose())
        assert (check, fix in advice) == ("token endpoint", True)
    with emulate():
        done = diagnose(env={"PINECONE_CLIENT_SECRET": "rotated"})
    ((check, detail, fix),) = failures(done)
    assert (check, "does not accept the client id and secret" in detail, "copy" in fix) == ("credentials", True, True)
    assert status_of(done, "token endpoint") == "ok"


READS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"status": 400, "body": {"error": {"code": "INVALID_ARGUMENT", "message": "unsupported API version"}}},
        "API version",
        "install a newer version",
    ),
    ({"status": 500}, "read", "explain PA210"),
    ({"status": 401}, "read", "belong together"),
    ({"status": 404, "body": "html"}, "read", "PINECONE_CONTROLLER_HOST"),
    ({"status": 403, "body": "html"}, "read", "PINECONE_CONTROLLER_HOST"),
    ({"status": 200, "body": "html"}, "read", "PINECONE_CONTROLLER_HOST"),
]


def test_a_read_that_fails_says_whether_version_host_or_token_is_wrong() -> None:
    """An API that does not know the version, one that fails, and a host that is not the API are told apart."""
    for fault, expected, fix in READS:
        with emulate() as emulator:
            emulator.faults.add("list_organizations", times=None, skip=1, **fault)
            ((check, _, advice),) = failures(diagnose())
        assert (check, fix in advice) == (expected, True), (fault, advice)


def test_a_host_that_is_not_the_api_is_named() -> None:
    """A server that responds to everything with a page is not taken for the API."""
    with Server(api_actions=[send_response(200, HTML)]) as server:
        done = diagnose(env=served_by(server))
    ((check, detail, _),) = failures(done)
    assert (check, "not a response of the API" in detail, status_of(done, "clock")) == ("read", True, "skipped")
    # The check of the version stands before the read, although it depends on the response to the read.
    skipped = {"check": "API version", "status": "skipped", "detail": "not known, because the read fails", "fix": ""}
    assert skipped in done.json


def test_an_account_without_roles_fails_and_one_with_roles_on_a_project_passes() -> None:
    """An account that may do nothing is told how to get a role."""
    with emulate() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.create(name="search")
        for roles, found in (([], None), ([("ProjectMember", project.id)], "search:ProjectMember")):
            account = emulator.add_client(roles=roles)
            env = {"PINECONE_CLIENT_ID": account.client_id, "PINECONE_CLIENT_SECRET": account.client_secret}
            done = diagnose(env=env)
            details = {each["check"]: each["detail"] for each in done.json}
            if found is None:
                assert [(check, "role grant" in fix) for check, _, fix in failures(done)] == [("roles", True)]
            else:
                assert (details["roles"], failures(done)) == (found, [])


def test_the_roles_of_a_token_from_elsewhere_are_unknown() -> None:
    """Whose token it is cannot be seen, which is no fault, and no check claims it."""
    with emulate() as emulator, emulator.admin() as admin:
        done = diagnose(env={"PINECONE_ACCESS_TOKEN": admin.token().value})
    (detail,) = (each["detail"] for each in done.json if each["check"] == "roles")
    assert detail == "not known, because an access token does not show its account"
    assert status_of(done, "roles") == "skipped"
    assert done.exit == 0


def test_of_an_access_token_only_what_was_tried_is_claimed() -> None:
    """The token endpoint is not used, and the token counts as accepted once the API has accepted it."""
    with emulate() as emulator, emulator.admin() as admin:
        token = admin.token().value
        env = {"PINECONE_ACCESS_TOKEN": token, "PINECONE_CLIENT_ID": None, "PINECONE_CLIENT_SECRET": None}
        good = diagnose(env=env)
        emulator.faults.add("list_organizations", times=None, status=503)
        unknown = diagnose(env=env)
        emulator.faults.clear()
        emulator.state.revoke_tokens(next(iter(emulator.state.service_accounts.listing)))  # as if it had expired
        expired = diagnose(env=env)
    assert [status_of(each, "token endpoint") for each in (good, unknown, expired)] == ["skipped"] * 3
    assert [status_of(each, "credentials") for each in (good, unknown, expired)] == ["ok", "skipped", "failed"]
    assert [check for check, _, _ in failures(unknown)] == ["read"]
    ((check, detail, fix),) = failures(expired)
    assert (check, "does not accept the access token" in detail, "another token" in fix) == ("credentials", True, True)
    assert "ok" not in {status_of(expired, check) for check in ("API version", "read", "roles")}


def test_an_account_whose_list_of_roles_is_empty_has_none() -> None:
    """A server that lets such an account read something has the same result."""
    with emulate() as emulator:
        empty: dict[str, object] = {"data": [], "pagination": None}
        emulator.faults.add("list_role_bindings", times=None, status=200, body=empty)
        ((check, _, fix),) = failures(diagnose())
    assert (check, "role grant" in fix) == ("roles", True)


def test_roles_that_cannot_be_read_for_another_reason_fail() -> None:
    """A server that fails in the last read is no account without roles."""
    with emulate() as emulator:
        emulator.faults.add("list_role_bindings", times=None, status=500)
        ((check, _, fix),) = failures(diagnose())
    assert (check, fix) == ("roles", "pinecone-admin explain PA210")


def test_another_organization_than_the_expected_one_fails() -> None:
    """The expectation of the command line is a separate check."""
    with emulate() as emulator:
        ((check, detail, _),) = failures(diagnose("--expect-organization", "another"))
        assert (check, emulator.organization_id in detail) == ("organization", True)
        passed = diagnose("--expect-organization", emulator.organization_id)
    assert passed.json[-1] == {
        "check": "organization", "status": "ok", "detail": emulator.organization_id, "fix": "",
    }  # fmt: skip


def test_a_profile_or_a_client_that_cannot_be_made_is_a_failed_check() -> None:
    """A problem of a profile, of its secret or of an address is a result, not an error."""
    with emulate():
        save_profile("broken", "--secret-command", "printf ' canary '")
        file = find_profile_file()
        assert file is not None
        file.write_text(f"{file.read_text()}\n[profiles.work]\nclient-id = 'x'\n")
        cases = {
            ("--profile", "absent"): ("variables", "no profile absent"),
            ("--profile", "work"): ("credentials", "does not say where its secret is"),
            ("--profile", "broken"): ("credentials", "whitespace"),
        }
        for argv, (expected, detail) in cases.items():
            done = diagnose(*argv)
            check, found, _ = failures(done)[0]
            assert (check, detail in found, "canary" in done.stdout) == (expected, True, False), done
        for host, reason in (("https://", "name of a host"), ("http://example.com", "PINECONE_ADMIN_ALLOW_HTTP=1")):
            done = diagnose(env={"PINECONE_CONTROLLER_HOST": host})
            ((check, found, _),) = failures(done)
            assert (check, "PINECONE_CONTROLLER_HOST" in found, reason in found) == ("variables", True, True), found
            assert [each["check"] for each in done.json].count("variables") == 1, done  # none says: none is wrong


def test_every_failure_of_a_transport_has_a_stage() -> None:
    """A time-out, before and after the connection, is no failure of the name look-up."""
    assert classify_failure(httpx.ConnectTimeout("x"), through_proxy=True) == ("proxy", "no response in time", "")
    assert classify_failure(httpx.ConnectTimeout("x"), through_proxy=False) == ("connection", "no response in time", "")
    assert classify_failure(httpx.ReadTimeout("x"), through_proxy=True) == ("connection", "no response in time", "")
    assert classify_failure(httpx.ProxyError("no"), through_proxy=True) == ("proxy", "it refused the connection", "")
    assert classify_failure(httpx.RemoteProtocolError("x"), through_proxy=False)[0] == "connection"


@pytest.mark.parametrize(
    ("env", "words", "advice"),
    [
        ({}, (), "Run pinecone-admin login, or set PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET."),
        ({"PINECONE_CLIENT_ID": "x"}, (), "Set PINECONE_CLIENT_SECRET."),
        ({}, ("--profile", "none"), "Run pinecone-admin login."),
    ],
)
def test_the_fix_of_missing_credentials_is_that_of_every_command(
    env: dict[str, str], words: tuple[str, ...], advice: str
) -> None:
    """Doctor shows the problem once, and as the fix what other commands advise."""
    (first, *_) = run("doctor", *words, env=env).json
    refused = run("project", "list", *words, env=env)
    assert (first["status"], first["fix"]) == ("failed", advice)
    assert f"error: {first['detail']} {first['fix']} [" in refused.stderr
