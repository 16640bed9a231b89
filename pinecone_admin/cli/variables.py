"""The variables of the environment that mean something to commands, each with what it does."""

from collections.abc import Mapping

COMPLETION_VARIABLE = "_PINECONE_ADMIN_COMPLETE"
"""With this variable, the scripts of click call the program to complete a word."""
COMPLETE_NAMES_VARIABLE = "PINECONE_ADMIN_COMPLETE_NAMES"
READ_ONLY_VARIABLE = "PINECONE_ADMIN_READ_ONLY"
NO_PROMPT_VARIABLE = "PINECONE_ADMIN_NO_PROMPT"
VARIABLES: Mapping[str, str] = {
    "PINECONE_CLIENT_ID": "Client id of the service account that commands use.",
    "PINECONE_CLIENT_SECRET": "Its client secret.",
    "PINECONE_ACCESS_TOKEN": "An access token from elsewhere, used instead of these two.",
    "PINECONE_CONTROLLER_HOST": "URL of the API; production by default.",
    "PINECONE_OAUTH_URL": "URL of the token endpoint; production by default.",
    "PINECONE_ADMIN_ALLOW_HTTP": "1 allows http beyond this machine.",
    "PINECONE_ADMIN_PROFILE": "The profile to use, as --profile. Refused if credentials or a URL above are set.",
    "PINECONE_ADMIN_EXPECT_ORGANIZATION": "Refuse to work on any other organization, as --expect-organization.",
    READ_ONLY_VARIABLE: "1 refuses every change of the organization, as --read-only.",
    "PINECONE_ADMIN_AUDIT_LOG": "The file that gets a line for each change, as --audit-log.",
    NO_PROMPT_VARIABLE: "1 ends every question: commands need --yes or --confirm, as without a terminal.",
    COMPLETE_NAMES_VARIABLE: "1 lets the shell complete names, for which it asks the API at every Tab.",
    "PINECONE_EMULATOR_CLIENT_ID": "Client id that the emulator gives its owner.",
    "PINECONE_EMULATOR_CLIENT_SECRET": "Client secret that the emulator gives its owner.",
}
"""What ``help environment`` says of the variables of this program."""

SWITCHES: Mapping[str, str] = {
    "PINECONE_ADMIN_ALLOW_HTTP": "it has no effect",
    READ_ONLY_VARIABLE: "commands that call the API stop",
    NO_PROMPT_VARIABLE: "commands ask nothing",
    COMPLETE_NAMES_VARIABLE: "it has no effect",
}
"""The variables that are 1 or 0, each with what happens at any other value."""


def read_switch(name: str, variables: Mapping[str, str]) -> bool | None:
    """Return whether a variable is 1, without the white space around it; None if it is neither 1 nor 0 nor empty."""
    return {"1": True, "0": False, "": False}.get(variables.get(name, "").strip())


EMULATOR_PID_VARIABLE = "PINECONE_EMULATOR_PID"
"""The variable for the process id of an emulator in the background."""

SET_VARIABLES = (
    "PINECONE_EMULATOR_CONTROL_URL",
    "PINECONE_EMULATOR_ORGANIZATION_ID",
    EMULATOR_PID_VARIABLE,
    "PINECONE_API_KEY",
)
"""Variables that commands set for other programs, and do not read."""

OTHER_VARIABLES: Mapping[str, str] = {
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY": "Proxies, also in small letters.",
    "SSL_CERT_FILE, SSL_CERT_DIR": "Certificates to trust in place of the usual ones.",
    "NO_COLOR": "1 turns colours and bold text off.",
    "COLUMNS": "Width of the terminal, if it is not as it seems.",
}
"""Its text about variables that other programs use, too."""

CI_VARIABLES = (
    "GITHUB_ACTOR",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITLAB_USER_LOGIN",
    "CI_JOB_URL",
    "BUILDKITE_BUILD_URL",
    "CIRCLE_USERNAME",
    "CIRCLE_BUILD_URL",
    "BUILD_URL",
)
"""Variables of GitHub, GitLab, Buildkite, CircleCI and Jenkins that identify the job of a command, for the audit
log."""
