"""Redaction: secrets are masked as they are read, in any escaping and encoding."""

from __future__ import annotations

import json
from time import process_time

import pytest

from pinecone_admin._config.client_config import ClientOptions
from pinecone_admin._http.known_secrets import KnownSecrets
from pinecone_admin._http.redaction import redact_body, redact_text
from pinecone_admin._http.retry_policy import RetryPolicy

SECRET = 'Canary/of=a"secret\\x'


def escape_all(text: str) -> str:
    """Escape every character as JSON allows it."""
    return "".join(f"\\u{ord(char):04X}" for char in text)


FORMS = {
    "plain": SECRET,
    "JSON": json.dumps(SECRET)[1:-1],
    "slashes escaped, as PHP does": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "some characters by code": json.dumps(SECRET)[1:-1].replace("=", "\\u003d").replace("C", "\\u0043"),
    "all characters by code": escape_all(SECRET),
    "JSON within JSON": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "code within JSON": json.dumps(escape_all(SECRET))[1:-1],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_a_secret_is_masked_in_any_form(form: str, encoding: str) -> None:
    """A secret is masked in the body of an error, and the rest of the body stays as it is."""
    body = f'{{"error": {{"message": "a {FORMS[form]} b \\u00e9 \\n"}}}}'
    assert json.loads(redact_body(body.encode(encoding), [SECRET]))["error"]["message"] == "a *** b é \n"


def test_a_body_without_secrets_is_unchanged() -> None:
    """A body without a secret, also one that is neither JSON nor text, is returned as it is."""
    for body in (b"", b"\xff\xfe\x00\x80", b'{"a": "\\u0043\\/"}', b"\x00\x00\x00x", bytes(range(256))):
        assert redact_body(body, [SECRET, "Canary"]) == body


def test_a_body_that_begins_like_another_encoding_is_masked() -> None:
    """A body in ASCII is masked even if its first bytes are those of UTF-16 or UTF-32, whatever its length."""
    for start in (b"{\x00", b"\x00{", b"\xff\xfe", b"\xfe\xff", b"{\x00\x00\x00", b"\x00\x00\xfe\xff", b"\xef\xbb\xbf"):
        for padding in range(4):
            body = start + b'"abcdefgh", "value": "ijkl' + b" " * padding
            assert redact_body(body, ["abcdefgh"], ["value"]) == start + b'"***", "value": "***'


def test_the_beginning_of_a_secret_at_the_end_is_masked() -> None:
    """A body that breaks off in a secret shows nothing of it."""
    assert redact_body(f"x {SECRET[:9]}".encode(), [SECRET]) == b"x ***"


def test_a_secret_within_another_is_masked_after_it() -> None:
    """The longer one of two secrets is masked first, so that nothing of it remains."""
    for text in ("session=abcdef; abcdef", r"session\u003dabcdef; \u0061bcdef"):
        assert redact_text(text, ["abcdef", "session=abcdef"]) == "***; ***"


def test_each_of_adjacent_secrets_is_masked() -> None:
    """A secret is masked directly after one that ends in a backslash, which is no escape of what follows."""
    assert redact_text(r"a\u0062c\\a\u0062c\\", ["abc\\"]) == "******"


def test_many_backslashes_take_time_in_proportion() -> None:
    """A body that echoes an escaped secret before many backslashes is redacted at once, not after minutes."""
    filler = b"\\" * 200_000
    begun = process_time()
    assert redact_body(escape_all(SECRET).encode() + b"; " + filler, [SECRET]) == b"***; " + filler
    assert process_time() - begun < 5


def test_named_fields_are_masked_up_to_their_ends() -> None:
    """The values of named fields are masked in any encoding, also where the body breaks off within one."""
    text = '{"value" : "a\\"b", "valued": "kept", "client_secret":"c'
    for encoding in ("utf-8", "utf-16"):
        masked = redact_body(text.encode(encoding), [], ["value", "client_secret"]).decode(encoding)
        assert masked == '{"value" : "***", "valued": "kept", "client_secret":"***'


def test_a_client_remembers_its_credentials_for_ever_and_the_latest_of_other_secrets() -> None:
    """However many copies and tokens a client has had, its own credentials and the latest others are masked."""
    known = KnownSecrets()
    known.keep(["the own one", "own/header"])
    for number in range(1000):
        known.add_token(f"token-{number}")
        known.add_token(f"token-{number}")
        known.add([f"header-{number}"])
    found = list(known.reveal())
    assert {"the own one", "own/header", "own%2Fheader", "token-999", "token-990", "header-999"} <= {*found}
    assert len(found) < 300
    assert "the own one" not in repr(known)


# Value of a header → what may be a credential.
HEADERS = {
    "Bearer abcdefgh": {"Bearer abcdefgh", "abcdefgh"},
    "session=SECRET; theme=x": {"session=SECRET; theme=x", "session=SECRET", "SECRET", "SECRET; theme=x"},
    'Digest username="ada", nonce="1234567890"': {'nonce="1234567890"', "1234567890"},
    "Basic YWRhOmxvdmVsYWNl=": {"YWRhOmxvdmVsYWNl=", "ada:lovelace", "lovelace"},
    "Basic not-Base64, or so": {"not-Base64"},
    "session=a&b/c=d": {"a&b/c=d", "a&amp;b/c=d", "a%26b%2Fc%3Dd"},
    "search": set[str](),
}


@pytest.mark.parametrize("value", HEADERS)
def test_any_part_of_a_header_may_be_a_credential(value: str) -> None:
    """Words of a header, and the values of its names, are masked unless they are too short."""
    options = ClientOptions(timeout=1, retry=RetryPolicy(), headers={"x": value}, read_only=False)
    assert HEADERS[value] <= {secret.reveal() for secret in options.secrets}
    assert all(len(secret.reveal()) >= 6 for secret in options.secrets)
