"""``gke-gcloud-auth-plugin``, and the old auth-provider ``gcp``: Google's log-in.

How tokens are made is in `mcks.auth.google`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from mcks.auth import google
from mcks.auth.credential import Credential
from mcks.backends.arguments import harmless, parse, spelled
from mcks.backends.native import Known
from mcks.errors import ConfigError

_GCLOUD = (
    "gcloud's own account would be used; the hub uses Application Default Credentials instead, so "
    "the rights may differ"
)


@dataclass(frozen=True)
class GKE:
    """A Google access token."""

    login: google.Login
    warning: str = ""

    async def mint(self) -> Credential:
        """Log in to Google."""
        return (await google.log_in(self.login)).credential

    def renewal(self) -> tuple[float, float | None]:
        """Renew when Google hands out a new one."""
        return google.RENEW_BEFORE, None

    def credential_key(self) -> Hashable | None:
        """One token serves all clusters of the identity."""
        return "google", self.login

    def identity(self) -> str:
        """Name the service account, where there is one."""
        return self.login.impersonate or "the hub's Google identity"


_VALUES = spelled(
    {"impersonate": "--impersonate_service_account", "account": "--account"}
) | harmless(
    "--project --location --cluster --configuration "
    "--v -v --vmodule --stderrthreshold --log_backtrace_at --log_dir --log_file --log_file_max_size"
)
_FLAGS = spelled(
    {"adc": "--use_application_default_credentials", "edge": "--use_edge_cloud"}
) | harmless(
    "--logtostderr --alsologtostderr --one_output --add_dir_header --skip_headers "
    "--skip_log_headers"
)


def _read(arguments: Sequence[str], environment: Mapping[str, str]) -> GKE:
    found = parse(arguments, values=_VALUES, flags=_FLAGS)
    if "edge" in found.flags:
        raise ConfigError("gke-gcloud-auth-plugin --use_edge_cloud (edge clusters) is not served")
    if "adc" in found.flags:
        # The plug-in itself ignores the rest then.
        return GKE(google.Login())
    if environment.get("CLOUDSDK_AUTH_ACCESS_TOKEN"):
        raise ConfigError("CLOUDSDK_AUTH_ACCESS_TOKEN in exec.env ends soon: take it out")
    return GKE(google.Login(impersonate=found.get("impersonate")), _GCLOUD)


def _read_config(_config: Mapping[str, object]) -> GKE:
    return GKE(google.Login(), _GCLOUD)


KNOWN = Known(commands={"gke-gcloud-auth-plugin": _read}, auth_providers={"gcp": _read_config})
