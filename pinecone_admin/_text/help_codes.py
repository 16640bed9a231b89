"""What each kind of error means and what to do about it, in code and on the command line, by its ``help_code``.

Names, options and commands are in backticks, as in Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Help(NamedTuple):
    """Help about one kind of error.

    Attributes:
        meaning: What the error says.
        reason: Why it occurs.
        remedy: What to do in code.
        command_remedy: What to do on the command line; empty if it is the same.
    """

    meaning: str
    reason: str
    remedy: str
    command_remedy: str = ""


HELP: Mapping[str, Help] = {
    "PA100": Help(
        "The call failed unexpectedly.",
        "Something that was called on the way ended in an unusual way.",
        "Read the message; if it does not name a callable that you passed, report it with the traceback.",
        "Read the message; if it does not help, report it with the command.",
    ),
    "PA101": Help(
        "An argument or an environment variable has an invalid value.",
        "It is missing, empty, out of range, or contradicts another one; no change was sent.",
        "Correct the argument, the file or the variable that the message names.",
    ),
    "PA102": Help(
        "An argument has the wrong type.",
        "It cannot be sent as it is. No change was sent, unless `store` proved wrong after a create, which is undone.",
        "Pass a value of the type that the message names.",
    ),
    "PA103": Help(
        "A read-only client was asked to make a change.",
        "It only sends reads; no change was sent.",
        "Use a client, or a copy from `with_options(read_only=False)`, that may make changes.",
        "Leave out `--read-only`, and unset `PINECONE_ADMIN_READ_ONLY`.",
    ),
    "PA104": Help(
        "The client is closed.",
        "It was closed before the call or during it.",
        "Keep its `with` block open, and do not call `close()`, for as long as calls are made; or make a new client.",
        "Run the command again.",
    ),
    "PA200": Help(
        "The server returned a status that is neither a success nor documented.",
        "Often something between this machine and the API responded, such as a proxy or a login page.",
        "Check the host that the message names, proxies, and where a redirect points.",
    ),
    "PA201": Help(
        "The server refused the request as invalid (400).",
        "A field is missing, malformed or out of range, in a way that only the server can know.",
        "Correct the field that the message names.",
    ),
    "PA202": Help(
        "The API does not accept the token (401).",
        "It is unknown, expired or revoked, or it is of another environment; a fresh one was tried where possible.",
        "Pass a valid token or client credentials, and check that `host` and `oauth_url` belong together.",
        "Run `pinecone-admin doctor`, which says which credentials are used and what is wrong with them.",
    ),
    "PA203": Help(
        "The billing state of the organization forbids the request (402).",
        "A payment is missing or failed.",
        "Settle the payment in the console.",
    ),
    "PA204": Help(
        "The caller may not do this (403).",
        "It lacks the role, the plan lacks the feature, or a quota is used up.",
        "Grant the account a role that permits it, such as OrgOwner for people, or raise the limit in the message.",
    ),
    "PA205": Help(
        "The resource does not exist, or the caller may not see it (404).",
        "The id is wrong or of another organization, it was deleted, a role is missing, or the host is not the API.",
        "List the resources and compare the ids; check which organization the credentials belong to, and the host.",
        "List them and compare the ids; `whoami` shows the organization, and `doctor` checks the host.",
    ),
    "PA206": Help(
        "The request conflicts with the present state (409).",
        "The resource exists, its state does not allow the change, or an identity provider (SCIM) manages the person.",
        "Read `error_code`; an `ensure` method accepts what exists. Change people of an identity provider there.",
        "Look at what exists; an `ensure` command accepts it. Change people of an identity provider there.",
    ),
    "PA207": Help(
        "Something must be removed first (412).",
        "The resource still contains others, such as the indexes of a project.",
        "Remove them, or use `delete_with_cleanup` for a project.",
        "Remove what the message names; `project delete-with-cleanup` empties and deletes a project.",
    ),
    "PA208": Help(
        "The server understood the request but cannot process it (422).",
        "The values are well-formed, but do not fit together.",
        "Correct what the message names.",
    ),
    "PA209": Help(
        "There were too many requests (429).",
        "A rate limit was reached, and it lasts longer than the call may wait.",
        "Wait for `retry_after` seconds, lower the concurrency, or raise `timeout` or `max_retry_after`.",
        "Wait, and run the command again.",
    ),
    "PA210": Help(
        "The server failed (5xx).",
        "The service or a gateway before it had an error; retries did not help, or a create must not be repeated.",
        "If the outcome is unknown, check whether the change was made; otherwise try again later.",
    ),
    "PA301": Help(
        "The token endpoint issued no token.",
        "It failed, or its response is not a usable token.",
        "Try again later; check `oauth_url` and proxies if it persists.",
        "Try again later; `pinecone-admin doctor` checks the token endpoint and proxies.",
    ),
    "PA302": Help(
        "The token endpoint does not accept the client id and secret.",
        "They are wrong or of another environment, the secret was rotated, or the service account was deleted.",
        "Set the current client id and secret of a service account.",
        "Set the current client id and secret of a service account; `pinecone-admin doctor` checks them.",
    ),
    "PA401": Help(
        "No complete response arrived.",
        "The name was not found, the connection was refused or ended early, or TLS or a proxy failed.",
        "Check the host that the message names, the network, proxies and certificates; then read `outcome`.",
        "After exit code 6, look first whether the change was made; `pinecone-admin doctor` checks the network.",
    ),
    "PA402": Help(
        "No complete response arrived in time.",
        "The server or the network is slow, or a list has more pages than the timeout has time for.",
        "Raise `timeout`, and read `outcome` before you repeat a create.",
        "Look whether a change was made before you repeat it.",
    ),
    "PA501": Help(
        "A success could not be read.",
        "The response does not fit the API description; the request was processed.",
        "Do not repeat a create: `raw.reveal()` has the response. Check that `host` is the API.",
        "Look whether the change was made before you repeat it; `pinecone-admin doctor` checks the host.",
    ),
    "PA502": Help(
        "The server returned the same page token twice.",
        "The list would never end.",
        "Report it to Pinecone with the request id; use the items that were read so far.",
        "Report it to Pinecone with the request id.",
    ),
    "PA601": Help(
        "Several resources share the name.",
        "Names are not unique in Pinecone.",
        "Use one of the ids in `error.ids`, or rename the others.",
        "Use one of the ids in the message, or rename the others.",
    ),
    "PA602": Help(
        "A workflow stopped because continuing would be unsafe.",
        "The message names what it found, such as deletion protection or the last owner.",
        "Resolve what the message names, and run it again.",
    ),
    "PA603": Help(
        "A new secret was issued but not stored.",
        "The place where it should be stored failed. If it was rotated, the old secret is no longer valid.",
        "Store it by hand: `error.secret.reveal()` returns it.",
        "If the message names a file, take the new secret from it; else run the command again.",
    ),
    "PA604": Help(
        "A workflow may have left something.",
        "A deletion failed or got no answer, or another run has changed the same thing, so what to delete is unknown.",
        "Read the message before you delete what `error.left` names; after a failed deletion, the next run repeats it.",
        "Read the message before you delete what it names; after a failed deletion, the next run repeats it.",
    ),
}
