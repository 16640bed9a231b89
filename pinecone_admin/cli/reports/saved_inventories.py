"""Inventories in files."""

from __future__ import annotations

import json

from pinecone_admin.cli.output.private_files import describe_path
from pinecone_admin.errors import PineconeValueError, RefusedError
from pinecone_admin.workflows import Inventory


def format_inventory(inventory: Inventory) -> str:
    """Return an inventory as the text of a file."""
    # Escapes keep unpaired surrogates, which UTF-8 cannot express.
    return json.dumps(inventory.to_dict(), indent=2) + "\n"


def parse_inventory(text: str, path: str) -> Inventory:
    """Return the inventory in the text of a file.

    Raises:
        PineconeValueError: The text is not an inventory, or only a part of one; the message names the file.
    """
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PineconeValueError(
            f"{describe_path(path)} is no inventory, or one that was saved only in part: {error}"
        ) from error
    if not isinstance(document, dict):
        raise PineconeValueError(f"{describe_path(path)} is no inventory: it is not a JSON object")
    try:
        return Inventory.from_dict(document)  # pyright: ignore[reportUnknownArgumentType]
    except PineconeValueError as error:
        problem = error.message_with_names({"data": "$"})  # as JSONPath calls the whole document
        raise PineconeValueError(f"{describe_path(path)} is no inventory: {problem}") from error


def check_same_organization(before: Inventory, after: Inventory) -> None:
    """Raise unless two inventories can be of one organization; one that could not read it can be of any.

    Raises:
        RefusedError: They are of two organizations, so that everything would look removed and added.
    """
    old, new = ([each.id for each in inventory.organizations] for inventory in (before, after))
    if old and new and not set(old).intersection(new):
        raise RefusedError(f"the inventories are of two organizations, {', '.join(old)} and {', '.join(new)}")
