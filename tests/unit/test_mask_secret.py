"""A secret is masked in the exception of a ``store`` in every form in which texts and URLs have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from pinecone_admin.models import APIKey, APIKeyWithSecret
from pinecone_admin.workflows.store_failures import mask_secret

SECRET = 'pcsk a/b&c"d'
MADE = APIKeyWithSecret(key=APIKey(id="k", name="n", project_id="p", roles=[]), value=SECRET)


def _quote_twice(text: str) -> str:
    return json.dumps(json.dumps(text))


@pytest.mark.parametrize("write", [str, quote, quote_plus, escape, json.dumps, _quote_twice])
@pytest.mark.parametrize("convert", [str, str.encode, lambda text: {"tried": [text]}])
def test_a_secret_is_masked_in_every_form(write: Callable[[str], str], convert: Callable[[str], object]) -> None:
    """Only the secret is replaced in the text of the exception."""
    form = write(SECRET).strip('"\\')
    error = ValueError(convert(f"cannot store {form} in the vault"))
    assert mask_secret(error, MADE) is None
    assert "cannot store *** in the vault" in str(error)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(f"cannot store {SECRET}"), "cannot store ***"),
        (OSError(5, f"cannot store {SECRET}", "vault"), "[Errno 5] cannot store ***: 'vault'"),
        (OSError(5, "no space", f"vault/{SECRET}"), "[Errno 5] no space: 'vault/***'"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, f"cannot store {SECRET}"), None),
        (ImportError(f"cannot store {SECRET}", name="vault"), "cannot store ***"),
        (KeyError(f"cannot store {SECRET}"), "'cannot store ***'"),
        (StopIteration(f"cannot store {SECRET}"), "cannot store ***"),
        (SystemExit(f"cannot store {SECRET}"), "cannot store ***"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_the_rest_of_the_text_of_a_built_in_exception_stays(error: BaseException, text: str | None) -> None:
    """Its cause can be read; an attribute that was not set is not set."""
    mask_secret(error, MADE)
    assert SECRET not in str(error)
    assert str(error) == (text or "'utf-8' codec can't decode byte 0xff in position 0: cannot store ***")
