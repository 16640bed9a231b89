"""The commands: a module for each noun, and some for the commands without one; each is loaded when it is used.

docs/contributing/extending.md shows how to add a command, an option or a destination for secrets.
"""

from collections.abc import Mapping

NOUNS: Mapping[str, str] = {
    "organization": "Organizations that you belong to.",
    "project": "Projects and their contents.",
    "api-key": "API keys of projects.",
    "user": "People in the organization.",
    "invite": "Invites to the organization.",
    "service-account": "Accounts of programs.",
    "role": "Who holds which role.",
    "profile": "Saved accounts.",
}
"""The nouns, each with its help, in the order of the help; the module of one has its name."""

SINGLE_COMMANDS: Mapping[str, tuple[str, str]] = {
    "access": ("reports", "Show who can do what, and what to look at in a review."),
    "apply": (
        "export_plan_apply",
        "Make the organization match a file, or carry out a plan.",
    ),
    "completion": ("help", "Print the script with which a shell completes commands."),
    "diff": ("reports", "Show what changed since a saved inventory, or between two."),
    "doctor": ("identity", "Check network, clock, credentials and roles."),
    "each": ("each", "Run a command once for each row of a CSV or JSON file."),
    "emulator": ("emulator", "Serve an organization on this machine, to try things."),
    "explain": ("help", "Explain the code of an error, exit or finding."),
    "export": (
        "export_plan_apply",
        "Write the organization as a file for plan and apply.",
    ),
    "help": ("help", "Show a topic, or the help of a command."),
    "inventory": ("reports", "Read everything in the organization."),
    "login": ("profile", "Sign in as a service account, and save a profile."),
    "plan": (
        "export_plan_apply",
        "Show what apply would do. Nothing is changed.",
    ),
    "run": ("run", "Run a program with a temporary API key."),
    "send": ("send", "Send a request that no other command covers."),
    "token": ("identity", "Print an access token for other tools."),
    "whoami": (
        "identity",
        "Show the account that commands use, and its roles.",
    ),
}
"""The commands without a noun, each with its module and the first sentence of its help."""
