"""The gaps of the hand-written package, each with its file and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.emulator_table import make_table
from generation.gaps import ROOT, VALUE_FILES, find_gaps, find_removed_names
from generation.normalization import normalize_document
from generation.places import Places
from generation.settings import load_settings
from tests.support.api_documents import STRING, find_parameters, load_document, make_query, read_our_document

Edit = Callable[[Any], object]


def test_the_package_lacks_nothing_of_the_document() -> None:
    """Each operation has a method, each argument and field is passed, and each value is named where it must be."""
    normalized, _ = normalize_document(load_document("admin"), load_settings())
    assert find_gaps(normalized, make_table(load_document("admin"))) == []


def add_operation(path: str, tag: str) -> Edit:
    """Return an edit that adds an operation."""
    node = {"operationId": "count_them", "tags": [tag], "responses": {"204": {"description": "D"}}}
    return lambda document: document["paths"].update({path: {"get": node}})


def add_value(name: str, value: str) -> Edit:
    """Return an edit that adds a value wherever the values of a literal are listed."""

    def edit(node: Any) -> None:
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "x-enum" and name in inner:
                    inner.append(value)
                edit(inner)
        elif isinstance(node, list):
            for each in node:
                edit(each)

    return edit


PROJECTS = "pinecone_admin/_async/projects.py"
DERIVE = "then run scripts/unasync.py"
OPERATIONS = "pinecone_admin/emulator/api/operations.py"
UNSERVED = "pinecone_admin/emulator/api/operations.py: count_them is answered with 501: write its function"


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (add_operation("/admin/lanterns", "Lanterns"),
         ["pinecone_admin/_async/lanterns.py: count_them: no method sends it: run scripts/new_namespace lanterns",
          UNSERVED]),
        (add_operation("/admin/users/count", "Users"),
         [f"pinecone_admin/_async/users.py: count_them: no method sends it: add one, {DERIVE}", UNSERVED]),
        (lambda node: node["paths"]["/admin/users"]["get"]["parameters"].append(make_query(STRING, "sort")),
         [f"pinecone_admin/_async/users.py: list_users.sort: no method passes it: add an argument, {DERIVE}",
          f"{OPERATIONS}: list_users: the emulator does not know sort: read it there"]),
        (lambda node: node["components"]["schemas"]["CreateProjectRequest"]["properties"].update(motto=STRING),
         [f"{PROJECTS}: CreateProjectRequest.motto: no method passes it: add an argument, {DERIVE}",
          f"{OPERATIONS}: create_project: the emulator does not know motto: read it there"]),
        (add_value("OrgOwner", "OrgAuditor"),
         [f"{file}: names not all values of RoleName: add OrgAuditor" for file in VALUE_FILES["RoleName"]]),
        (lambda node: node["servers"][0].update(url="https://b.example"),
         [("pinecone_admin/_config/addresses.py: API_URL is not https://b.example, the server of the document: "
          "change it")]),
        (lambda node: find_parameters(node, "email")[0].update(description="D"), []),
    ],
)  # fmt: skip
def test_each_gap_is_named_with_its_file(edit: Edit, lines: list[str]) -> None:
    """The line begins with the file that must follow and the line, if there is one, and ends with what to do."""
    document = read_our_document()
    edit(document)
    normalized, _ = normalize_document(document, load_settings())
    found = find_gaps(normalized, make_table(document))
    assert [re.sub(r"^(\S+\.py):\d+: ", r"\1: ", each) for each in found] == lines
    for line in found:
        if place := re.match(r"(\S+\.py):(\d+): (\w+)", line):
            text = (ROOT / place[1]).read_text(encoding="utf-8").splitlines()[int(place[2]) - 1]
            assert place[3] == "names" or place[3] in text, line
        else:
            assert "no method sends it" in line or "501" in line or "API_URL" in line, line


def test_each_required_field_of_a_response_is_sent() -> None:
    """A field that a response must have, and the emulator does not send, is named with the function that sends it."""
    document = read_our_document()
    for name in ("Project", "APIKeyWithSecret"):
        document["components"]["schemas"][name]["properties"]["tier"] = STRING
        document["components"]["schemas"][name]["required"].append("tier")
    normalized, _ = normalize_document(document, load_settings())
    api_key, project = find_gaps(normalized, make_table(document))
    assert api_key == (
        "pinecone_admin/emulator/api/operations.py: APIKeyWithSecret has no tier, which the document requires: send it"
    )
    place, _, problem = project.partition(": ")
    assert problem == "Project has no tier, which the document requires: send it"
    file, _, line = place.partition(":")
    assert (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1].startswith("def project_document(")


def test_a_name_that_is_gone_is_found_in_each_file() -> None:
    """A field that the new document has nowhere is named once in each file with the name, as code or as a string."""
    old, _ = normalize_document(read_our_document(), load_settings())
    document = read_our_document()
    for schema in ("Project", "CreateProjectRequest", "UpdateProjectRequest"):
        fields = document["components"]["schemas"][schema]["properties"]
        fields["pod_limit"] = fields.pop("max_pods")
    new, _ = normalize_document(document, load_settings())
    found = find_removed_names(old, new, Places(ROOT))
    files = [each.partition(":")[0] for each in found]
    assert files == sorted(set(files))
    assert {"pinecone_admin/_async/projects.py", "pinecone_admin/cli/nouns/project.py"} <= set(files)
    for line in found:
        place = re.match(r"(\S+):(\d+): names max_pods, which the document has no more", line)
        assert place, line
        text = (ROOT / place[1]).read_text(encoding="utf-8").splitlines()[int(place[2]) - 1]
        assert "max_pods" in text, line


def test_each_file_of_values_exists() -> None:
    """A file that is renamed must be renamed in the table, too."""
    assert all((ROOT / file).is_file() for files in VALUE_FILES.values() for file in map(Path, files))
