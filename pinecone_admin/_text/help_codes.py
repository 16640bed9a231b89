"""The meaning of each kind of error, and what to do in Python and on the command line, by its ``help_code``.

Names, options and commands are in backticks, as in Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Help(NamedTuple):
    """Help about one kind of error.

    Attributes:
        meaning: The event.
        reason: Why it happens.
        remedy: The remedy in Python.
        command_remedy: The remedy on the command line; empty if it is the same.
    """

    meaning: str
    reason: str
    remedy: str
    command_remedy: str = ""


HELP: Mapping[str, Help] = {
    "PA100": Help(
        "The call failed unexpectedly.",
        "A function that the call uses ended in an unusual way.",
        "If the message names a function that you passed, correct this function. Otherwise report the error with the "
        "traceback.",
        "If a command after `exec:` failed, correct this command. Otherwise report the error with the command.",
    ),
    "PA101": Help(
        "An argument or an environment variable has an invalid value.",
        "The value is missing, empty, out of range, or contradicts another one. No change was sent.",
        "Correct the argument, the file or the variable in the message.",
    ),
    "PA102": Help(
        "An argument has the wrong type.",
        "The client cannot send the value. No change was sent, except if `store` only proved wrong after a create, "
        "which is undone.",
        "Pass a value of the type in the message.",
    ),
    "PA103": Help(
        "A read-only client was to make a change.",
        "A read-only client sends only reads. No change was sent.",
        "Use a client that may make changes, or a copy from `with_options(read_only=False)`.",
        "Leave out `--read-only`, and unset `PINECONE_ADMIN_READ_ONLY`.",
    ),
    "PA104": Help(
        "The client is closed.",
        "It was closed before the call or during it.",
        "Keep its `with` block open while calls are made, and call `close()` only after them. Or create a new client.",
        "Run the command again.",
    ),
    "PA200": Help(
        "The server returned a status that is neither a success nor documented.",
        "Often, something between this machine and the API responded, such as a proxy or a login page.",
        "Check the host in the message, the proxies, and the address that a redirect points to.",
    ),
    "PA201": Help(
        "The server refused the request as invalid (400).",
        "A field is missing, malformed or out of range, and only the server can check it.",
        "Correct the field in the message.",
    ),
    "PA202": Help(
        "The API does not accept the access token (401).",
        "The token is unknown, expired, revoked, or of another environment. The client tries a new "
        "one at most once in 30 seconds.",
        "Pass a valid token or credentials, for the same environment as `host`. After two rotations, wait 30 seconds.",
        "Run `pinecone-admin doctor`. It shows which credentials are used, and checks them.",
    ),
    "PA203": Help(
        "The billing state of the organization forbids the request (402).",
        "A payment is missing or failed.",
        "Settle the payment in the console.",
    ),
    "PA204": Help(
        "The caller is not allowed to do this (403).",
        "Your service account lacks a role, a limit of the plan is reached, the plan has no service accounts, or a "
        "proxy responded in place of the API.",
        "If `error_code` is `PERMISSION_DENIED`, an owner must grant your account OrgOwner, or ProjectOwner of the "
        "project. If it is `QUOTA_EXCEEDED`, delete what you do not need, or change the plan. If it is `FORBIDDEN`, "
        "change the plan. If it is None, a proxy may have sent the response: let the proxy permit the host of "
        'the API. After a change with the `outcome` "unknown", check first what was done.',
        "If the code after 403 is `PERMISSION_DENIED`, an owner must grant your account OrgOwner, or ProjectOwner of "
        "the project. `whoami` shows its roles. If it is `QUOTA_EXCEEDED`, delete what you do not need, or change the "
        "plan. If it is `FORBIDDEN`, change the plan. If there is no code, a proxy may have sent the response: let the "
        "proxy permit the host of the API. After exit code 6, check first what was done.",
    ),
    "PA205": Help(
        "The resource does not exist, or the caller cannot see it (404).",
        "The id is wrong or of another organization, the resource was deleted, a role is missing, or the host is not "
        "the API.",
        "List the resources and compare the ids. Check the organization of the credentials, and the host.",
        "List the resources and compare the ids. `whoami` shows the organization, and `doctor` checks the host.",
    ),
    "PA206": Help(
        "The request conflicts with the present state (409).",
        "The resource exists, the last owner or the last role of a user would go, the invite was accepted, or an "
        "identity provider (SCIM) manages the person.",
        "Use the `ensure` method, which accepts what exists; for a person, `users.ensure`. Make another user an owner "
        "first. Delete the user in place of the accepted invite or the last role. Change managed people at the "
        "identity provider.",
        "Use the `ensure` command, which accepts what exists; for a person, `user ensure`. Make another user an owner "
        "first. Delete the user in place of the accepted invite or the last role. Change managed people at the "
        "identity provider.",
    ),
    "PA207": Help(
        "Something must be removed first (412).",
        "The resource still contains others, such as the indexes of a project.",
        "Remove them. For a project, `delete_with_cleanup` does this.",
        "Remove the contents in the message. `project delete PROJECT --with-contents` empties and deletes a project.",
    ),
    "PA208": Help(
        "The server understood the request but cannot process it (422).",
        "The values are well-formed, but do not fit together.",
        "Correct the values in the message.",
    ),
    "PA209": Help(
        "There were too many requests (429).",
        "A rate limit was reached, and it lasts longer than the call may wait.",
        "Wait for `retry_after` seconds, lower the concurrency, or raise `timeout` or `max_retry_after`.",
        "Wait, and run the command again.",
    ),
    "PA210": Help(
        "The server failed (5xx).",
        "The server or a gateway failed. Retries did not help, or the request is a create, which is not sent again.",
        "If the outcome is unknown, check whether the change was made. Otherwise try again later.",
    ),
    "PA301": Help(
        "There is no access token.",
        "The token endpoint failed, or its response contains no usable token. Or a function that you passed failed.",
        "Try again later. If the error remains, check `oauth_url`, the proxies, and `callable_traceback.reveal()`.",
        "Try again later. `pinecone-admin doctor` checks the token endpoint and the proxies.",
    ),
    "PA302": Help(
        "The token endpoint does not accept the client id and the client secret.",
        "They are wrong or of another environment, the secret was rotated, or the service account was deleted.",
        "Set the current client id and client secret of a service account.",
        "Set the current client id and client secret of a service account. `pinecone-admin doctor` checks them.",
    ),
    "PA401": Help(
        "No complete response arrived.",
        "The host name was not found, the connection was refused or ended early, or TLS or a proxy failed.",
        "Check the host in the message, the network, the proxies and the certificates. Then read `outcome`.",
        "After exit code 6, the change may have been made: check that with `describe` or `list`, and run the command "
        "again only if it was not. After exit code 7, run it again. `pinecone-admin doctor` checks the network.",
    ),
    "PA402": Help(
        "No complete response arrived in time.",
        "The server or the network is slow. Or a complete list, such as that of the projects, has too many pages.",
        "Raise `timeout`, and read `outcome` before you repeat a create.",
        "Before you repeat a change, check whether it was made. You can repeat a read at any time.",
    ),
    "PA501": Help(
        "The client could not read the response to a successful request.",
        "The response does not fit the API description. The request took effect.",
        "Do not repeat a create. `raw.reveal()` returns the response. Check that `host` is the API.",
        "Before you repeat a change, check whether it was made. `pinecone-admin doctor` checks the host.",
    ),
    "PA502": Help(
        "The list would never end.",
        "The server returned the same page token twice, or 100 pages in a row without a new item.",
        "Report it to Pinecone with the request id. You can use the items that were read so far.",
        "Report it to Pinecone with the request id.",
    ),
    "PA601": Help(
        "Several resources have the same name.",
        "Names are not unique in Pinecone.",
        "Use one of the ids in `error.ids`, or rename the others.",
        "Use one of the ids in the message, or rename the others.",
    ),
    "PA602": Help(
        "A workflow stopped because it would be unsafe to continue.",
        "Deletion protection is on, the last owner or your own account would lose access, the organization has changed "
        "since the plan was made, or another run works on the same resource.",
        "Depending on the reason, pass `lift_protection=True`, make another user an OrgOwner, use another service "
        "account, make a new plan, or wait for the other run. Then run the workflow again.",
        "Depending on the reason, add `--lift-protection`, make another user an OrgOwner, use another service account, "
        "make a new plan, or wait for the other run. Then run the command again.",
    ),
    "PA603": Help(
        "A new secret was created, and may not be stored.",
        "The destination failed. If the secret was rotated, the old secret no longer works.",
        "If the secret is not stored, store it by hand. `error.secret.reveal()` returns it.",
        "If the message names a file, take the new secret from it. Otherwise run the command again.",
    ),
    "PA604": Help(
        "A workflow may have left resources or roles.",
        "A deletion failed or had no response, or another run has changed the same resource.",
        "If `safe_to_retry` is True, run the workflow again, which repeats the deletion. Of two keys with one name, "
        "delete the one whose value is not in your store. `error.left` lists what may remain.",
        "Run the command again, which repeats a failed deletion. Of two keys with one name, delete the one whose value "
        "is not in your store. The message lists what may remain.",
    ),
}
