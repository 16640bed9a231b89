"""A program: create an official client that is given nothing but credentials, in `emulate()` or outside.

Usage: python -m tests.compat.official_alone emulate|production
"""

from __future__ import annotations

import sys
from contextlib import nullcontext

import pinecone

from pinecone_admin.testing import emulate

if __name__ == "__main__":
    with emulate() if sys.argv[1] == "emulate" else nullcontext():
        pinecone.Admin(client_id="x", client_secret="y").projects.list()
