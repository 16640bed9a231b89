"""The help of every command shows an example, and each example works in the organization that the examples name."""

from __future__ import annotations

from pinecone_admin.cli.failures import spell_parameter
from tests.cli.command_line import COMMANDS, run
from tests.cli.example_runs import run_examples

# They print pages and scripts.
TEXTS = {("help",), ("completion",), ("export",), ("token",)}


def test_the_example_of_every_help_works() -> None:
    """The example that a help shows ends with exit code 0, writes JSON or nothing, and says if it makes keys."""
    for each in run_examples():
        spec, done = each.spec, each.done
        makes_keys = any(request.operation_id == "create_api_key" for request in each.requests)
        says_that_it_writes = spec.effect == "reads" and makes_keys
        assert done.exit == 0, done
        says_what_else = any(
            words in done.stderr for words in (" which would be deleted with it", "is the default now")
        )
        assert (done.stderr != "") == says_that_it_writes or says_what_else, done
        if done.stdout and "--output" not in spec.example and spec.path not in TEXTS:
            assert done.json is not None, spec.example


def test_the_help_of_every_command_shows_its_example_and_its_parameters() -> None:
    """A person can do the job with the help alone."""
    for spec in COMMANDS:
        done = run(*spec.path, "--help")
        assert (done.exit, done.stderr) == (0, "")
        assert f"Example:\n  {spec.example}\n" in done.stdout
        assert spec.summary.split()[0] in done.stdout
        for each in [each for each in spec.own_params if not getattr(each, "hidden", False)]:
            assert spell_parameter(each) in done.stdout, spec.full_name


def test_groups_list_their_commands_with_their_summaries() -> None:
    """The help of the program lists every noun, and the help of a noun every verb."""
    root = run("--help").stdout
    assert run().stdout == root
    for spec in COMMANDS:
        assert f"  {spec.path[0]} " in root
        if len(spec.path) > 1:
            group = run(spec.path[0], "-h").stdout
            assert f"  {spec.path[1]} " in group
            assert run(spec.path[0]).stdout == group
