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
