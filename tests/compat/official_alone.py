"""A program: create an official client as users' code does, and list projects.

Usage: python -m tests.compat.official_alone emulated|alone|told

It does so in `emulate()` and `emulate(serve=True)`, and prints their errors as JSON; or without; or with the addresses
that the environment has.
"""

from __future__ import annotations

import json
import os
import sys

import pinecone

from pinecone_admin.testing import emulate
from pinecone_admin.testing._guard import ProductionOutOfReachError


def main() -> None:
    """List projects in the way that the argument says."""
    if sys.argv[1] == "emulated":
        errors = [list_emulated(serve=serve) for serve in (False, True)]
        print(json.dumps(errors))  # noqa: T201 — read by the test
    elif sys.argv[1] == "alone":
        pinecone.Admin().projects.list()
    else:
        host, oauth_url = os.environ["PINECONE_CONTROLLER_HOST"], os.environ["PINECONE_OAUTH_URL"]
        with pinecone.Admin(host=host, oauth_url=oauth_url) as admin:
            admin.projects.list()


def list_emulated(*, serve: bool) -> str:
    """Return the error of a client in `emulate()`, or an empty string."""
    with emulate(serve=serve):
        try:
            pinecone.Admin().projects.list()
        except ProductionOutOfReachError as error:
            return str(error)
    return ""


if __name__ == "__main__":
    main()
