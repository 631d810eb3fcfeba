"""``doctl kubernetes cluster kubeconfig exec-credential``: DigitalOcean's log-in.

The calls are in `mcks.backends.digitalocean_api`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcks.auth.credential import Credential
from mcks.auth.shared import SharedLogin
from mcks.backends.arguments import harmless, parse, spelled
from mcks.backends.digitalocean_api import TOKEN_LIFE, cluster_credentials, credential_in
from mcks.backends.native import Invocation, Known
from mcks.errors import ConfigError

_OWN_TOKEN = "the hub's own DigitalOcean token is used, not that of doctl's configuration"  # noqa: S105 - no token


@dataclass(frozen=True)
class DOKS:
    """A token that DigitalOcean makes for the cluster *cluster_id*."""

    cluster_id: str
    api_token: str = field(default="", repr=False)
    """That of the stanza; empty for the hub's own."""
    warning: str = ""

    async def mint(self) -> Credential:
        """Ask for a token that lives for an hour."""
        return credential_in(await cluster_credentials(self.cluster_id, token=self.api_token))

    def renewal(self) -> tuple[float, float | None]:
        """Renew in the last tenth of the life."""
        return TOKEN_LIFE / 10, None

    def credential_key(self) -> SharedLogin | None:
        """Each cluster has tokens of its own."""
        return None

    def identity(self) -> str:
        """Say whose token it is."""
        whose = "the kubeconfig's" if self.api_token else "the hub's"
        return f"the owner of {whose} DigitalOcean token"


_VALUES = spelled(
    {
        "context": "--context",
        "config": "--config -c",
        "api": "--api-url -u",
        "token": "--access-token -t",
        "sso": "--sso-issuer-url --sso-client-id --sso-local-server-port",
    }
) | harmless("--version --output -o --http-retry-max --http-retry-wait-max --http-retry-wait-min")
_FLAGS = harmless("--trace --verbose -v --interactive")
_TOKEN = "DIGITALOCEAN_ACCESS_TOKEN"  # noqa: S105 - a variable's name
_CONTEXT = "DIGITALOCEAN_CONTEXT"
_API = "DIGITALOCEAN_API_URL"
_VARIABLES = (_TOKEN, _CONTEXT, _API, "DIGITALOCEAN_CONFIG")
_HARMLESS = (
    *("DIGITALOCEAN_OUTPUT", "DIGITALOCEAN_HTTP_RETRY_MAX"),
    *("DIGITALOCEAN_HTTP_RETRY_WAIT_MAX", "DIGITALOCEAN_HTTP_RETRY_WAIT_MIN"),
)


def _read(invocation: Invocation) -> DOKS | None:
    if "exec-credential" not in invocation.arguments:
        return None
    found = parse(invocation.arguments, values=_VALUES, flags=_FLAGS)
    if found.get("sso"):
        raise ConfigError("doctl's single sign-on is a login by browser, which a hub cannot do")
    if found.get("api"):
        raise ConfigError("doctl --api-url: the hub's token is not sent elsewhere")
    if found.get("token"):
        raise ConfigError(
            f"doctl --access-token is not used: take it out, and give the hub a token, or {_TOKEN} "
            "in exec.env"
        )
    invocation.refuse_lost(_VARIABLES, _HARMLESS)
    if invocation.environment.get(_API):
        raise ConfigError(f"{_API} in exec.env: the hub's token is not sent elsewhere")
    if len(found.words) < 2 or found.words[-2] != "exec-credential":
        raise ConfigError("exec.args of doctl name no cluster")
    token = _token(found.get("context"), invocation.environment)
    return DOKS(found.words[-1], token, "" if token else _OWN_TOKEN)


def _token(context: str, environment: Mapping[str, str]) -> str:
    """Give the stanza's token. Like doctl: it belongs to the context ``default``, and no other."""
    token = environment.get(_TOKEN, "")
    chosen = context or environment.get(_CONTEXT, "")
    if token and chosen.lower() not in ("", "default"):
        raise ConfigError(
            f"{_TOKEN} in exec.env is not doctl's for another context than default: take one out"
        )
    return token


KNOWN = Known(commands={"doctl": _read})
