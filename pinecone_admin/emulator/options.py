"""The options of the emulator's command line, which `pinecone-admin emulator` has, too, and passes on as they are."""

from collections.abc import Mapping
from typing import NamedTuple


class EmulatorOption(NamedTuple):
    """An option.

    Attributes:
        name: How it is written.
        text: Its help.
        metavar: The placeholder for its value; empty for a flag, or if it has choices.
        choices: The values that it may have; empty for any.
    """

    name: str
    text: str
    metavar: str = ""
    choices: tuple[str, ...] = ()


OPTIONS = (
    EmulatorOption("--host", "Address to listen on; by default, 127.0.0.1.", "ADDRESS"),
    EmulatorOption("--port", "Port to listen on; by default, any free one.", "N"),
    EmulatorOption("--state", "File to load at the start, if it exists, and to write at the end.", "FILE"),
    EmulatorOption(
        "--plan",
        "Plan of the organization; by default, that of the file, or Enterprise.",
        choices=("Free", "Standard", "Enterprise", "Dedicated"),
    ),
    EmulatorOption(
        "--permissions",
        "The permissions to enforce; default: those of the file, or published.",
        choices=("published", "open"),
    ),
    EmulatorOption(
        "--token-lifetime", "How long tokens live, such as 90s or 2h; by default, as in the file, or 30m.", "TIME"
    ),
    EmulatorOption("--seed", "Make ids, secrets and the chances of faults the same in every run.", "N"),
    EmulatorOption("--allow-remote", "Allow an address that other machines can reach."),
    EmulatorOption(
        "--format",
        "Say where it listens: as a line of JSON, which is the default, or as commands for a shell.",
        choices=("json", "env"),
    ),
    EmulatorOption("--advertise-url", "URL to print in place of the address that it listens on.", "URL"),
    EmulatorOption("--client-id", "Client id of the owner, or @FILE; by default, a new one.", "ID"),
    EmulatorOption("--client-secret", "Its secret, or @FILE; by default, a new one.", "SECRET"),
    EmulatorOption("--tls", "Serve the production addresses over TLS, too; needs the extra tls."),
    EmulatorOption("--tls-port", "Port for TLS; by default, any free one.", "N"),
    EmulatorOption("--ca-file", "Where to write the certificate that clients have to trust.", "FILE"),
)
COMMAND = (
    "After --, a command to run with no network but the emulator, at the production addresses; with --tls, on Linux."
)

OLD_OPTIONS: Mapping[str, str] = {"--advertise": "--advertise-url"}
"""Options of version 0.3, each with what it is called now; this version refuses them, and the next not."""
