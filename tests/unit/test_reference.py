"""scripts/reference.py: the reference that the checkout holds."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest

import reference
from documentation.docstrings import break_lines, parse_docstring
from documentation.entries import render_entry, write_default
from pinecone_admin import models, workflows
from pinecone_admin._sync.api_keys import APIKeys
from pinecone_admin._sync.pagination import Paginator
from pinecone_admin._sync.projects import Projects
from pinecone_admin.auth import TokenCache
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.control.faults import Fault
from pinecone_admin.errors import ApiError, PineconeTimeoutError, ValidationError
from pinecone_admin.operations import Operation
from pinecone_admin.retry import RetryPolicy
from pinecone_admin.workflows import NewSecret, StalePlan

MARK = "<!-- scripts/reference.py: {} -->\n"


def fill_in(*contents: str) -> str:
    """Return a page with these comments, filled in, without the lines that are not shown."""
    page = "\n".join(f"{MARK.format(each)}<!-- end -->\n" for each in contents)
    return re.sub(r"<!--.*?-->\n", "", reference.fill_in(page, page), flags=re.DOTALL)


def test_the_pages_are_what_their_sources_give(capsys: pytest.CaptureFixture[str]) -> None:
    """The entries in docs/reference are those that the signatures, docstrings and helps give now."""
    assert (reference.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_a_duration_is_written_with_its_largest_unit() -> None:
    """The default of an argument that is a duration is in the signature, as users write it."""
    written = {timedelta(0): "timedelta(0)", timedelta(hours=6): "timedelta(hours=6)"}
    written |= {timedelta(minutes=90): "timedelta(minutes=90)", timedelta(days=7): "timedelta(days=7)"}
    assert {each: write_default(each) for each in written} == written
    assert "ttl=timedelta(hours=6)" in render_entry("admin.api_keys.temporary", APIKeys.temporary, 2)


def test_a_method_has_its_return_type_before_its_errors() -> None:
    """A method has its signature, text, arguments with types, return type, errors and example, in this order."""
    entry = render_entry("admin.projects.create", Projects.create, 2)
    assert entry.startswith(
        "## `admin.projects.create`\n\n```python\n"
        "admin.projects.create(*, name, max_pods=None, force_encryption_with_cmek=None) -> Project\n"
        "```\n\nCreate a project.\n\n"
    )
    assert "- `max_pods` (`int | None`): Maximum number of pods for the indexes of the project, from 0;" in entry
    assert "\n\n**Returns** `Project`: The new project.\n\n**Raises**\n\n- `BadRequestError`: `max_pods`" in entry
    assert entry.endswith("'checkout'\n```\n")
    assert re.findall(r"^\*\*(\w+)\*\*", entry, re.MULTILINE) == ["Arguments", "Returns", "Raises", "Example"]


def test_a_model_has_its_fields_with_types_and_examples() -> None:
    """A field has its type, its text and its example; what only a response has is no argument."""
    entry = render_entry("APIKey", models.APIKey, 3)
    assert "\nAPIKey(*, id, name, project_id, roles, created_at=None)\n" in entry
    example = '`["DataPlaneEditor"]`'
    assert f"- `roles` (`list[APIKeyRole]`): The roles of the key, all on its own project. Example: {example}" in entry
    assert "- `created_at` (`datetime | None`): When the key was created." in entry


def test_types_have_the_names_that_users_import() -> None:
    """No private name, module or variable is in a type."""
    assert "`type[T] | Callable[[Any], T] | None`" in render_entry("Operation", Operation, 2)
    assert "-> list[Project]\n" in render_entry("admin.projects.list", Projects.list, 2)
    pages = "".join(path.read_text(encoding="utf-8") for path in reference.FOLDER.rglob("*.md"))
    assert re.findall(r"\bgenerated_client\b|pinecone_admin\.(?:\w+\.)*_\w+|\b_T\b|~\w", pages) == []


def test_an_error_has_its_bases_and_the_types_of_its_attributes() -> None:
    """An error that users do not construct shows what else catches it, and the types of its constructor."""
    assert "\nPineconeTimeoutError(PineconeError, TimeoutError)\n" in render_entry(
        "PineconeTimeoutError", PineconeTimeoutError, 2
    )
    assert "- `details` (`Mapping[str, Any] | None`): Details that" in render_entry("ApiError", ApiError, 2)


def test_another_name_of_a_class_is_no_second_class() -> None:
    """The entry of an alias has the comment at the alias, and repeats nothing of the class."""
    entry = render_entry("ValidationError", ValidationError, 2)
    assert entry.startswith("## `ValidationError`\n\nAnother name of `PineconeValueError`")
    assert "(PineconeError, ValueError)" not in entry


def test_a_property_has_the_errors_of_reading_it() -> None:
    """Reading an attribute can raise as a call can: the item has each error that the docstring of a property has."""
    raising = [
        (owner.__name__, name)
        for owner in (*(getattr(workflows, name) for name in workflows.__all__), Emulator)
        if inspect.isclass(owner)
        for name, member in vars(owner).items()
        if isinstance(member, property) and "Raises:" in (member.__doc__ or "")
    ]
    assert raising == [("Ensured", "value"), ("Provisioned", "key_id"), ("Emulator", "host"), ("Emulator", "oauth_url")]
    for owner, name in raising:
        entry = render_entry(owner, getattr(workflows, owner, Emulator), 2)
        assert re.search(rf"^- `{name}` [^\n]+(\n  [^\n]+)*Raises\s+`\w+Error`: \w", entry, re.MULTILINE), name


def test_what_users_do_not_construct_has_no_constructor() -> None:
    """A list of the client, a protocol and a constant have no signature of their own."""
    assert "Paginator(" not in render_entry("Paginator", Paginator, 2)
    assert "TokenCache(" not in render_entry("TokenCache", TokenCache, 2)
    assert render_entry("NewSecret", NewSecret, 2).endswith(
        "\nStands for `APIKeyWithSecret | ServiceAccountWithSecret`.\n"
    )


def test_a_signature_that_is_long_is_broken() -> None:
    """No line of a signature is wider than a page, and its defaults are those of the code."""
    entry = render_entry("RetryPolicy", RetryPolicy, 2)
    assert f"RetryPolicy(\n    *, max_attempts={RetryPolicy().max_attempts}, attempt_timeout=20.0," in entry
    assert max(len(line) for line in entry.partition("```\n")[0].splitlines()) <= 90


def test_a_class_has_the_methods_that_it_inherits_and_none_that_only_the_emulator_calls() -> None:
    """A plan has the methods that save it, and a fault those that tests read."""
    assert set(re.findall(r"^### `(.+)`$", render_entry("StalePlan", StalePlan, 2), re.MULTILINE)) == {
        "StalePlan.from_json",
        "StalePlan.to_json",
    }
    fault = render_entry("Fault", Fault, 2)
    assert set(re.findall(r"^- `(document|kind|used|fires_on)`|`Fault\.(\w+)`", fault, re.MULTILINE)) == {
        ("document", ""),
        ("kind", ""),
        ("used", ""),
    }


def test_comments_are_filled_in_below_their_heading() -> None:
    """A page has the names of a comment, one level below the heading above, and those that no other names."""
    page = fill_in("names pinecone_admin.models on_project *Request", "names pinecone_admin.models Project CLASSES")
    names = re.findall(r"^## `(\w+)`$", page, re.MULTILINE)
    assert names[:2] == ["on_project", "CreateAPIKeyRequest"]
    assert names.count("Project") == names.count("CreateAPIKeyRequest") == names.count("Invite") == 1
    assert "RoleName" not in names
    below = f"# Models\n\n## Values\n\n{MARK.format('names pinecone_admin.models VALUES')}<!-- end -->\n"
    other = f"{MARK.format('names pinecone_admin.models Null RoleName')}<!-- end -->\n"
    values = reference.fill_in(below, below + other)
    assert "\n### `PrincipalType`\n" in values
    assert "`Project`\n" not in values
    assert "`RoleName`\n" not in values


def test_methods_are_listed_before_they_are_described() -> None:
    """The list of a namespace links to each method by the anchor of its heading, and has its first sentence."""
    page = fill_in("methods admin.api_keys")
    assert "- [`describe_by_name`](#adminapi_keysdescribe_by_name): Return " in page
    rows = re.findall(r"^- \[`(\w+)", page, re.MULTILINE)
    assert rows == re.findall(r"^## `.+\.(\w+)`", page, re.MULTILINE)


def test_a_command_has_its_help_usage_options_and_example() -> None:
    """A noun has its commands; options of every command are not repeated."""
    page = fill_in("commands profile whoami")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE)[-1] == "whoami"
    text = page.partition("## whoami\n")[2]
    assert text.startswith("\nShow the account that commands use")
    assert "```text\npinecone-admin whoami [OPTIONS]\n```" in text
    assert text.endswith("Example:\n\n```sh\npinecone-admin whoami\n```\n\n")
    assert "`--profile" not in text
    assert "- `--profile NAME`: " in fill_in("options")
    with pytest.raises(TypeError, match="nothing is no command"):
        fill_in("commands nothing")


def test_a_docstring_is_read_by_its_sections() -> None:
    """Entries may have several paragraphs, examples of fields become code, and code is not broken."""
    docstring = parse_docstring(
        "Do it. Or not.\n\nArgs:\n    name: A name, as\n        ``x y``.\n\n        More.\n"
        '    id: It. Example: "a b"\n\nReturns:\n    None.'
    )
    assert (docstring.text, docstring.summary) == ("Do it. Or not.", "Do it.")
    assert docstring.entries("Args") == {"name": "A name, as `x y`. More.", "id": 'It. Example: `"a b"`'}
    assert break_lines(f"{'x' * 115} `a b` c") == f"{'x' * 115}\n`a b` c\n"


def test_check_names_a_page_that_differs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With --check a page is not written."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    page = tmp_path / "commands/page.md"
    page.parent.mkdir()
    page.write_text(f"# Page\n\n{MARK.format('options')}<!-- end -->\n", encoding="utf-8")
    assert reference.main(["--check"]) == 1
    assert "--profile" not in page.read_text(encoding="utf-8")
    assert (reference.main([]), reference.main(["--check"])) == (0, 0)
    assert "--profile" in page.read_text(encoding="utf-8")


def test_the_differences_of_the_async_client_are_found_in_signatures_and_docstrings() -> None:
    """The table has methods with another name, type or kind of call, and sentences that only one docstring has."""
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", fill_in("differences"), re.MULTILINE)
    assert ("`close`", "`admin.close()`", "`await admin.aclose()`") in rows
    assert ("the argument `transport`", "`BaseTransport`", "`AsyncBaseTransport`") in rows
    assert {names for names, *types in rows if types == ["returns `list[T]`", "returns `AsyncCompleteList[T]`"]} == {
        "`organizations.list`, `projects.list`, `api_keys.list`"
    }
    sentences = {sentence for about, sentence, _ in rows if about == "the constructor"}
    assert "It gets the first token in the constructor." in sentences


def test_workflows_are_in_italics_after_other_methods() -> None:
    """A method is a workflow if it has a row in docs/workflows.md."""
    page = fill_in("namespaces")
    assert "| `admin.role_bindings` | `list`, `create`, `describe`, `delete`, *`ensure`*, *`change_role`* |" in page


def test_the_entry_of_a_method_has_the_smallest_role() -> None:
    """The sentence comes before the arguments; tests/test_least_roles.py proves the table that it is from."""
    sentences = {
        "Needs at least OrgManager on the organization": "admin.projects.create",
        "Needs at least OrgOwner on the organization, or ProjectOwner on the project": "admin.projects.update",
        "Needs at least OrgOwner on the organization, or ProjectOwner on the project and OrgMember": (
            "admin.projects.delete_stale"
        ),
    }
    page = fill_in("methods admin.projects").replace("**", "")
    for sentence, name in sentences.items():
        entry = " ".join(page.partition(f"## `{name}`\n")[2].partition("\n## ")[0].split())
        assert f"{sentence}; see [Permissions](permissions.md). Arguments" in entry, name
