"""The options of the emulator's command line, which `pinecone-admin emulator` has, too, and passes on as they are."""

from collections.abc import Mapping
from typing import NamedTuple


class EmulatorOption(NamedTuple):
    """An option.

    Attributes:
        name: How it is written.
        text: Its help.
        metavar: The placeholder for its value; empty for a flag, or if the choices are shown.
        choices: The values that it may have; empty for any.
    """

    name: str
    text: str
    metavar: str = ""
    choices: tuple[str, ...] = ()


OPTIONS = (
    EmulatorOption("--host", "Address to listen on; default 127.0.0.1.", "ADDRESS"),
    EmulatorOption("--port", "Port; default: any free one.", "N"),
    EmulatorOption(
        "--state",
        "File to load, if it exists, and to write at the end. The options below override its settings.",
        "FILE",
    ),
    EmulatorOption(
        "--plan",
        "Free, Standard, Enterprise (default) or Dedicated.",
        "PLAN",
        choices=("Free", "Standard", "Enterprise", "Dedicated"),
    ),
    EmulatorOption(
        "--permissions",
        "Who may do what: published (default) or open (nearly anything).",
        "KIND",
        choices=("published", "open"),
    ),
    EmulatorOption("--token-lifetime", "How long tokens live, such as 2h; default 30m.", "TIME"),
    EmulatorOption("--seed", "Make ids, secrets and chances of faults repeatable.", "N"),
    EmulatorOption("--allow-remote", "Allow an address that other machines can reach."),
    EmulatorOption(
        "--format",
        "Print the URLs as JSON (default) or for a shell.",
        choices=("json", "env"),
    ),
    EmulatorOption("--advertise-url", "URL to print instead of the real one.", "URL"),
    EmulatorOption("--client-id", "Client id of the owner, or @FILE; default: new.", "ID"),
    EmulatorOption("--client-secret", "Its client secret, or @FILE; default: new.", "SECRET"),
    EmulatorOption("--tls", "Also serve the production URLs over TLS (extra tls)."),
    EmulatorOption("--tls-port", "Port for TLS; default: any free one.", "N"),
    EmulatorOption("--ca-file", "Write the certificate that clients must trust.", "FILE"),
)
COMMAND = "A command that reaches only the emulator, at the production URLs. Needs --tls and Linux."

OLD_OPTIONS: Mapping[str, str] = {"--advertise": "--advertise-url"}
"""Options of version 0.3, each with what it is called now; this version refuses them, and the next not."""
