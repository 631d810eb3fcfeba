"""``doctl kubernetes cluster kubeconfig exec-credential``: DigitalOcean's log-in.

The calls are in `mcks.backends.digitalocean_api`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mcks.auth.credential import Credential
from mcks.backends.arguments import harmless, parse, spelled
from mcks.backends.digitalocean_api import TOKEN_LIFE, cluster_credentials, credential_in
from mcks.backends.native import Known
from mcks.errors import ConfigError

_OWN_TOKEN = "the hub's own DigitalOcean token is used, not that of doctl's configuration"  # noqa: S105 - no token


@dataclass(frozen=True)
class DOKS:
    """A token that DigitalOcean makes for the cluster *cluster_id*."""

    cluster_id: str
    warning: str = _OWN_TOKEN

    async def mint(self) -> Credential:
        """Ask for a token that lives for an hour."""
        return credential_in(await cluster_credentials(self.cluster_id))

    def renewal(self) -> tuple[float, float | None]:
        """Renew in the last tenth of the life."""
        return TOKEN_LIFE / 10, None

    def credential_key(self) -> Hashable | None:
        """Each cluster has tokens of its own."""
        return None

    def identity(self) -> str:
        """Say whose token it is."""
        return "the owner of the hub's DigitalOcean token"


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


def _read(arguments: Sequence[str], _environment: Mapping[str, str]) -> DOKS | None:
    if "exec-credential" not in arguments:
        return None
    found = parse(arguments, values=_VALUES, flags=_FLAGS)
    if found.get("sso"):
        raise ConfigError("doctl's single sign-on is a login by browser, which a hub cannot do")
    if found.get("api"):
        raise ConfigError("doctl --api-url: the hub's token is not sent elsewhere")
    if found.get("token"):
        raise ConfigError("doctl --access-token is not used: take it out, give the hub a token")
    if len(found.words) < 2 or found.words[-2] != "exec-credential":
        raise ConfigError("exec.args of doctl name no cluster")
    return DOKS(found.words[-1])


KNOWN = Known(commands={"doctl": _read})
