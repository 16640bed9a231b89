"""Choose the account of a command: a profile, an env file, or the environment."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from generated_client.types import masked
from pinecone_admin._http.argument_checks import value_error
from pinecone_admin._text.printable import make_printable
from pinecone_admin.cli.failures import SPELLINGS, CLIError
from pinecone_admin.cli.sentences import as_sentences, join_sentences
from pinecone_admin.cli.variables import VARIABLES, read_switch
from pinecone_admin.errors import UnauthorizedError

if TYPE_CHECKING:
    from pinecone_admin.cli.profiles.profile import Profile, Profiles

SECRET_VARIABLE = "PINECONE_CLIENT_SECRET"  # noqa: S105 - the name of a variable
CREDENTIAL_VARIABLES = ("PINECONE_CLIENT_ID", SECRET_VARIABLE)
TOKEN_VARIABLE = "PINECONE_ACCESS_TOKEN"  # noqa: S105 - the name of a variable
ADDRESS_VARIABLES = ("PINECONE_CONTROLLER_HOST", "PINECONE_OAUTH_URL")
_IDENTITY_VARIABLES = (*CREDENTIAL_VARIABLES, TOKEN_VARIABLE, *ADDRESS_VARIABLES)
PROFILE_VARIABLE = "PINECONE_ADMIN_PROFILE"
EXPECTED_VARIABLE = "PINECONE_ADMIN_EXPECT_ORGANIZATION"
AUDIT_LOG_VARIABLE = "PINECONE_ADMIN_AUDIT_LOG"

_ENVIRONMENT = "the environment"
_ARGUMENTS = ("client_id", "client_secret", "access_token", "host", "oauth_url")
_VARIABLES: Mapping[str, str] = dict(zip(_ARGUMENTS, _IDENTITY_VARIABLES, strict=True))
_PROFILE_KEYS: Mapping[str, str] = {"client_id": "client-id", "host": "api-url", "oauth_url": "oauth-url"}


def without_pinecone_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for another program, without the variables of this one."""
    return {name: value for name, value in env.items() if not name.upper().startswith("PINECONE_")}


_CREDENTIAL_WORDS = frozenset({"CREDENTIALS", "KEY", "PASSWORD", "SECRET", "TOKEN"})


def without_credentials(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a command with its own key. Variables with the addresses of the service stay."""
    return {
        name: value
        for name, value in env.items()
        if name in without_pinecone_variables(env) or not _is_credential(name)
    }


def _is_credential(name: str) -> bool:
    words = name.upper().split("_")
    return not _CREDENTIAL_WORDS.isdisjoint(words) or words[-2:] == ["CLIENT", "ID"]


def identity_error(message: str, *, advice: str = "", says_if_unchanged: bool = False) -> CLIError:
    """Return the error that the caller cannot be identified: credentials are missing or cannot be obtained."""
    return CLIError(message, cause=UnauthorizedError, is_local=True, says_if_unchanged=says_if_unchanged, advice=advice)


_OF_PROFILE = "profile "


@frozen(kw_only=True)
class CallerIdentity:
    """The account that a command uses, and the addresses of its requests.

    Nothing is mixed: a profile or an env file never gets a part of its identity or its addresses from the environment.

    Attributes:
        origin: Where it comes from, as messages name it.
        in_environment: Whether the client reads all of it from the environment, so that its errors name the variables.
        client_id: Client id of the service account, or None.
        client_secret: Its secret, or None.
        access_token: Access token, which comes before the two, or None.
        host: URL of the API, or None for production.
        oauth_url: URL of the token endpoint, or None for production.
        allow_http: Whether http beyond loopback is allowed.
        expect_organization: Id of the only organization that commands may work on, or None for any.
        secret_command: Command that prints the secret; empty if there is none.
        secret_file: Path of the file with the secret, or None.
        secret_source: The name of the secret in messages, if it does not come from a variable.
        variables: The variables that it was made of; empty for a profile.
    """

    origin: str
    in_environment: bool = False
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=masked)
    access_token: str | None = field(default=None, repr=masked)
    host: str | None = None
    oauth_url: str | None = None
    allow_http: bool = False
    expect_organization: str | None = None
    secret_command: tuple[str, ...] = ()
    secret_file: str | None = None
    secret_source: str = ""
    variables: Mapping[str, str] = field(factory=dict[str, str], repr=masked)

    @property
    def spellings(self) -> Mapping[str, str]:
        """The names of the arguments of a client in its source: variables, or the keys of a profile."""
        names = _VARIABLES if self.variables else _PROFILE_KEYS
        return {**SPELLINGS, **names, "client_secret": self.secret_source or SECRET_VARIABLE}

    def with_secret(self, client_secret: str, *, source: str) -> CallerIdentity:
        """Return a copy that authenticates with this secret, which messages call by its source, and with no token."""
        return evolve(
            self,
            client_secret=client_secret,
            secret_source=source,
            access_token=None,
            secret_command=(),
            secret_file=None,
            in_environment=False,
            variables={name: value for name, value in self.variables.items() if name != TOKEN_VARIABLE},
        )


def spell_login(identity: CallerIdentity) -> str:
    """Return the command that signs in again to a profile: with what is saved beside the secret, such as addresses."""
    options = {
        "--api-url": identity.host,
        "--oauth-url": identity.oauth_url,
        "--expect-organization": identity.expect_organization,
    }
    given = [f" {option} {shlex.quote(value)}" for option, value in options.items() if value is not None]
    return f"pinecone-admin login --name {identity.origin.removeprefix(_OF_PROFILE)} --overwrite{''.join(given)}"


def advise_on_refused_token(identity: CallerIdentity) -> str:
    """Return what to do if an access token from elsewhere is not accepted, as a clause; empty if there is none."""
    return "" if identity.access_token is None else f"set {TOKEN_VARIABLE} in {identity.origin} to another access token"


def advise_on_refused_secret(identity: CallerIdentity, *, is_piped: bool) -> str:
    """Return what to do if credentials are not accepted, as a clause that fits where they come from.

    Args:
        identity: The identity as it was chosen.
        is_piped: Whether ``--client-secret-stdin`` gave the secret.
    """
    if is_piped:
        return "pipe the present secret of this client id to --client-secret-stdin"
    if identity.secret_command:
        return f"put the present secret where the secret-command of {identity.origin} finds it"
    if identity.origin.startswith(_OF_PROFILE):
        return f"sign in again: {spell_login(identity)}"
    return f"set {' and '.join(CREDENTIAL_VARIABLES)} in {identity.origin} to the present ones of a service account"


def choose_identity(
    *,
    profile: str | None,
    env_file: str | None,
    env: Mapping[str, str],
    read_env_file: Callable[[str], Mapping[str, str]],
    load_profiles: Callable[[], Profiles],
) -> CallerIdentity:
    """Return the identity: of the command line, else of the environment or the profile that it names, else the default.

    Args:
        profile: Name of a profile from the command line, or None.
        env_file: Path of an env file from the command line, or None.
        env: The environment.
        read_env_file: Function that returns the variables of an env file.
        load_profiles: Function that returns the profiles of the user.

    Raises:
        CLIError: Both are given, what one of them names cannot be used, or an env file lacks an address that the
            environment has.
    """
    if profile is not None and env_file is not None:
        raise CLIError("Two accounts are named: with --profile and with --env-file. Give only one of them.")
    if profile is not None:
        return identity_of_profile(load_profiles().find(profile))
    if env_file is not None:
        origin = f"env file {make_printable(env_file, most=200)}"
        identity = identity_of_variables(read_env_file(env_file), origin=origin)
        require_same_addresses(identity, env, remedy="Add {} to the file")
        return identity
    given = find_overriding_variables(env)
    if PROFILE_VARIABLE in given[1:]:
        raise CLIError(
            f"Two accounts are named: {PROFILE_VARIABLE} and {given[0]} are both set. Unset one, or choose "
            "with --profile."
        )
    named = read_profile_name(env)
    profiles = load_profiles() if named or not given else None
    if profiles is not None and (named or profiles.by_name):
        return identity_of_profile(profiles.find(named))
    return evolve(identity_of_variables(env, origin=_ENVIRONMENT), in_environment=True)


def require_same_addresses(identity: CallerIdentity, env: Mapping[str, str], *, remedy: str) -> None:
    """Raise CLIError if the environment has an address that an env file, or a profile that is to be saved, lacks.

    Otherwise a shell that is wired to another server would send a secret to production, or make changes there.
    A saved profile without addresses is meant for production.

    Args:
        identity: The identity.
        env: The environment.
        remedy: How the address is added, as the beginning of a sentence, with {} for the variable.
    """
    kind = "profile" if identity.origin.startswith(_OF_PROFILE) else "file"
    for name, address in zip(ADDRESS_VARIABLES, (identity.host, identity.oauth_url), strict=True):
        if env.get(name, "").strip() and address is None:
            raise CLIError(
                f"{name} is set in your shell but not in {identity.origin}, so the {kind} would act on production. "
                f"{remedy.format(name)}, or unset it."
            )


def require_both_addresses(identity: CallerIdentity, *, names: Mapping[str, str] | None = None) -> None:
    """Raise CLIError if an identity has one of the two addresses, because the other one would be that of production.

    The one can be that of production, too. An access token is sent to the API only, so it needs no address of a token
    endpoint.

    Args:
        identity: The identity.
        names: The options for the addresses, by argument, if the identity is that of a profile that would be saved.
    """
    addresses = {"host": identity.host, "oauth_url": identity.oauth_url}
    missing = [name for name, address in addresses.items() if address is None]
    if len(missing) != 1 or (missing == ["oauth_url"] and identity.access_token is not None):
        return
    ((given, address),) = ((name, address) for name, address in addresses.items() if address is not None)
    if _is_of_production(given, address):
        return
    is_typed, names = names is not None, names or identity.spellings
    lacks = f"{names[given]} is set in {identity.origin}, but {names[missing[0]]} is not"
    if is_typed:
        lacks = f"The profile would have {names[given]}, but no {names[missing[0]]}"
    secret = "client secret" if missing == ["oauth_url"] else "access token"
    raise CLIError(
        f"{lacks}. The missing address is that of production, which would get the {secret} of another server.",
        advice=f"{'Give' if is_typed else 'Set'} {names['host']} and {names['oauth_url']}, or neither.",
    )


def _is_of_production(argument: str, address: str) -> bool:
    """Return whether an address is that of production, with or without its scheme or a trailing slash."""
    from pinecone_admin._config.addresses import API_URL, OAUTH_URL, parse_url  # noqa: PLC0415 - few runs need it

    production = {"host": API_URL, "oauth_url": OAUTH_URL}
    url = parse_url(address, default_scheme="https")
    return url is not None and str(url).rstrip("/") == production[argument]


def identity_of_profile(profile: Profile) -> CallerIdentity:
    """Return the identity of a profile, without its secret."""
    return CallerIdentity(
        origin=f"{_OF_PROFILE}{profile.name}",
        client_id=profile.client_id,
        host=profile.api_url,
        oauth_url=profile.oauth_url,
        expect_organization=profile.expect_organization,
        secret_command=profile.secret_command,
        secret_file=profile.secret_file,
    )


def find_overriding_variables(env: Mapping[str, str]) -> list[str]:
    """Return the variables of an environment that commands use before the default profile.

    An address alone counts, and an empty variable, whose value could not be obtained: the default profile would send
    its changes to another organization.
    """
    given = [name for name in _IDENTITY_VARIABLES if name in env]
    return given if read_profile_name(env) is None else [*given, PROFILE_VARIABLE]


def read_profile_name(env: Mapping[str, str]) -> str | None:
    """Return the profile that an environment names, or None."""
    return env.get(PROFILE_VARIABLE, "").strip() or None


def identity_of_variables(variables: Mapping[str, str], *, origin: str) -> CallerIdentity:
    """Return the identity that variables describe; a token comes before credentials."""
    values = [variables.get(name) if variables.get(name, "").strip() else None for name in _IDENTITY_VARIABLES]
    client_id, client_secret, access_token, host, oauth_url = values
    return CallerIdentity(
        origin=origin,
        client_id=client_id,
        client_secret=client_secret,
        access_token=access_token,
        host=host,
        oauth_url=oauth_url,
        allow_http=read_switch("PINECONE_ADMIN_ALLOW_HTTP", variables) is True,
        variables=variables,
    )


def require_complete(identity: CallerIdentity) -> None:
    """Raise CLIError unless an identity has a token, or a client id with a secret, and both addresses or neither.

    A variable that is used must not be empty.
    """
    values = (identity.client_id, identity.client_secret)
    missing = [name for name, value in zip(CREDENTIAL_VARIABLES, values, strict=True) if value is None]
    used = (TOKEN_VARIABLE, *ADDRESS_VARIABLES, *(missing if identity.access_token is None else ()))
    for name in used:
        if name in identity.variables and not identity.variables[name].strip():
            raise CLIError(f"{name} is empty in {identity.origin}.", advice="Set it to a value, or remove it.")
    require_both_addresses(identity)
    if identity.access_token is not None or not missing:
        return
    if identity.client_id is not None and not identity.variables:  # that of a profile
        lacks = as_sentences(f"{identity.origin} does not say where its secret is")
        raise identity_error(lacks, advice=f"Sign in again: {spell_login(identity)}.")
    advice = f"set {' and '.join(missing)}"
    if identity.origin != _ENVIRONMENT:
        advice += " in it"
    misspelt = find_misspelt(identity.variables, missing)
    hints = list[str]()
    addresses = [name for name in ADDRESS_VARIABLES if identity.variables.get(name, "").strip()]
    if addresses and identity.origin == _ENVIRONMENT and len(missing) == len(values):
        hints.append(f"{addresses[0]} is set, so the default profile is not used.")
    hints += [f"{given} is set. Did you mean {name}?" for given, name in misspelt]
    hints += ["PINECONE_API_KEY is for another API."] if "PINECONE_API_KEY" in identity.variables else []
    if identity.origin == _ENVIRONMENT and len(missing) == len(values):
        advice = join_sentences([f"Run pinecone-admin login, or {advice}", *hints])
        raise identity_error("You are not signed in.", advice=advice)
    words = " and no ".join(name.removeprefix("PINECONE_").lower().replace("_", " ") for name in missing)
    lacks = as_sentences(f"{identity.origin} has no {words}")
    raise identity_error(lacks, advice=join_sentences([as_sentences(advice), *hints]))


def find_misspelt(names: Iterable[str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Return the names of variables that nearly have a wanted name, each with that name."""
    from difflib import get_close_matches  # noqa: PLC0415 - only failures need it

    others = [name for name in names if name not in VARIABLES]
    found = [(name, get_close_matches(name.upper(), wanted, n=1, cutoff=0.85)) for name in others]
    return [(name, close[0]) for name, close in found if close]


def check_schemes(host: str | None, oauth_url: str | None) -> None:
    """Raise PineconeValueError if an address has no scheme: a word such as ``foo`` would be the name of a host."""
    for name, address in (("host", host), ("oauth_url", oauth_url)):
        if address is not None and "://" not in address:
            raise value_error(name, "must begin with https://, or with http:// for this machine")


def client_arguments(identity: CallerIdentity, *, production: tuple[str, str]) -> dict[str, object]:
    """Return the arguments of a client that acts as this identity.

    Args:
        identity: A complete identity.
        production: URLs of the API and of the token endpoint in production.
    """
    if identity.in_environment:
        return {}
    arguments: dict[str, object] = {"access_token": identity.access_token}
    if identity.access_token is None:
        arguments = {"client_id": identity.client_id, "client_secret": identity.client_secret}
    return arguments | {
        "host": identity.host or production[0],
        "oauth_url": identity.oauth_url or production[1],
        "allow_http": identity.allow_http,
    }
