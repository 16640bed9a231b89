"""The template of ``--store``: a form, and text with placeholders for what a secret belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import CLIError, WrongPlaceError
from pinecone_admin.cli.interruption import Interruptions
from pinecone_admin.cli.parameters import OWNER_PLACEHOLDERS, split_command, suggest
from pinecone_admin.cli.placeholder_syntax import Word, names_of, parse_word
from pinecone_admin.cli.secrets.env_file_text import VARIABLE_NAME
from pinecone_admin.cli.secrets.places import CommandPlace, FilePlace, SecretPlace

FORMS = "env-file:PATH#NAME, file:PATH or exec:COMMAND"
_FORM = re.compile("env-file|file|exec")
_PATTERN = re.compile(rf"[^:]*=(?:{_FORM.pattern}):", re.DOTALL)
_SAFE_MARKS = "._-@+"
"""Characters beside letters and digits that no shell and no comment of a script gives a meaning to."""


class PartError(WrongPlaceError):
    """A value cannot be a part of a place.

    Args:
        problem: Why, such as ``contains /``; or what is no name of a variable.
        placeholder: The placeholder that stands for the value; None if it is the name of a variable.
    """

    def __init__(self, problem: str, placeholder: str | None) -> None:
        super().__init__(problem)
        self.placeholder = placeholder


@frozen
class StoreTemplate:
    """A place for each secret.

    Attributes:
        form: ``env-file``, ``file`` or ``exec``.
        words: The path, with the name of the variable if there is one, or the words of the command.
        text: How it was written.
    """

    form: str
    words: Sequence[Word]
    text: str

    @property
    def spelling(self) -> str:
        """How it was written; of a command, only the first word, since others may be confidential."""
        return f"exec:{split_command(self.text.removeprefix('exec:'), '')[0]}" if self.form == "exec" else self.text

    @property
    def placeholders(self) -> set[str]:
        """The names of its placeholders."""
        return names_of(self.words)

    def find_place(
        self,
        values: Mapping[str, str],
        *,
        allow_group: bool,
        replaces: bool,
        is_for_account: bool,
        interruptions: Interruptions,
    ) -> SecretPlace:
        """Return the place of a secret.

        Args:
            values: The values of the placeholders.
            allow_group: Whether the group of an existing file may have access to it.
            replaces: Whether the secret takes the place of one that is no longer valid, or soon is not.
            is_for_account: Whether it is the secret of a service account, and not the value of an API key.
            interruptions: The signals of the command.

        Raises:
            PartError: A value cannot be a part of the place.
        """
        for name in sorted(self.placeholders):
            if problem := _find_problem_of_value(values[name], is_of_command=self.form == "exec"):
                raise PartError(problem, name)
        # Filled after the split, so that no value becomes a second word, or leads elsewhere.
        words = ["".join(part if isinstance(part, str) else values[part.name] for part in word) for word in self.words]
        if self.form == "exec":
            return CommandPlace(command=tuple(words), interruptions=interruptions)
        path, variable = words if self.form == "env-file" else (words[0], None)
        if variable is not None and not VARIABLE_NAME.fullmatch(variable):
            raise PartError(variable, None)
        return FilePlace(
            path=path,
            variable=variable,
            allow_group=allow_group,
            replaces=replaces,
            is_for_account=is_for_account,
            interruptions=interruptions,
        )


def parse_template(text: str, columns: Collection[str] = (), *, example: str = "file:pinecone.secret") -> StoreTemplate:
    """Return the template that the text of ``--store`` is.

    Args:
        text: The text.
        columns: Further placeholders: the columns of the rows of ``each``.
        example: A text that fits the command, for errors.

    Raises:
        CLIError: It has another form, or a placeholder that stands for nothing.
    """
    form, _, rest = text.partition(":")
    # The text is not repeated: it may be a secret that was pasted in the wrong place.
    if _PATTERN.match(text) and not _FORM.fullmatch(form):
        raise CLIError(
            "--store has no patterns: it is one template for all secrets, in which {scope} and {name} stand for what a "
            "secret belongs to, such as 'file:{scope}-{name}.key'."
        )
    if form == "env-file":
        path, _, name = rest.rpartition("#")
        texts = [path, name] if path and name else []
    elif form == "exec":
        texts = split_command(rest, "--store: the command after exec:")
        if not texts:
            raise CLIError("--store: exec: needs a command, such as exec:'vault kv put secret/pinecone key=-'.")
    else:
        texts = [rest] if form == "file" and rest else []
    if not texts:
        raise CLIError(f"--store: write {FORMS}, such as {example}.")
    words = [parse_word(each) for each in texts]
    for name in sorted(names_of(words).difference(OWNER_PLACEHOLDERS, columns)):
        advice = suggest(f"{{{name}}}", [f"{{{each}}}" for each in OWNER_PLACEHOLDERS])
        raise CLIError(f"--store: there is no placeholder {{{name}}}. {advice} For braces, write {{{{ and }}}}.")
    return StoreTemplate(form, words, text)


def _find_problem_of_value(value: str, *, is_of_command: bool) -> str | None:
    """Return why a value cannot be one segment of a path, and a part of a word of a command; None if it can.

    The command may be a shell, or start one elsewhere as ssh does, and whoever may create a key chooses its name.
    """
    if value in {"", ".", ".."}:
        return "is empty" if not value else "means a folder"
    if value.startswith(("-", "~")):
        return f"begins with {value[0]}"
    if not value.isprintable() or make_printable(value) != value:
        return "contains characters that cannot be shown"
    unsafe = (
        each for each in value if not (each.isalnum() or each in _SAFE_MARKS) and (is_of_command or each in "/\\")
    )
    found = next(unsafe, None)
    return None if found is None else f"contains {'a space' if found.isspace() else found}"
