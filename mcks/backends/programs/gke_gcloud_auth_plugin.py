"""``gke-gcloud-auth-plugin``, and the old auth-provider ``gcp``: Google's log-in.

How tokens are made is in `mcks.auth.google`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mcks.auth import google
from mcks.auth.credential import Credential
from mcks.auth.shared import SharedLogin
from mcks.backends.arguments import harmless, parse, spelled
from mcks.backends.native import Invocation, Known
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

    def credential_key(self) -> SharedLogin | None:
        """One token serves all clusters of the identity."""
        return google.AccessToken(self.login)

    def identity(self) -> str:
        """Name the service account, where there is one."""
        return self.login.impersonate or "the hub's Google identity"


_PROGRAM = "gke-gcloud-auth-plugin"
_VALUES = spelled(
    {
        "impersonate": "--impersonate_service_account",
        "account": "--account --configuration",
    }
) | harmless(
    "--project --location --cluster "
    "--v -v --vmodule --stderrthreshold --log_backtrace_at --log_dir --log_file --log_file_max_size"
)
_FLAGS = spelled({"adc": "--use_application_default_credentials", "edge": "--use_edge_cloud"})
_FLAGS |= harmless(
    "--logtostderr --alsologtostderr --one_output --add_dir_header --skip_headers "
    "--skip_log_headers"
)
_ADC_FILE = "GOOGLE_APPLICATION_CREDENTIALS"
_GCLOUDS_FILE = "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"
_GCLOUDS_ACCOUNT = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"
_TOKEN = "CLOUDSDK_AUTH_ACCESS_TOKEN"  # noqa: S105 - a variable's name
_VARIABLES = (_ADC_FILE, _GCLOUDS_FILE, _GCLOUDS_ACCOUNT, _TOKEN)
_HARMLESS = (
    *("USE_GKE_GCLOUD_AUTH_PLUGIN", "CLOUDSDK_PYTHON", "CLOUDSDK_CORE_PROJECT"),
    *("CLOUDSDK_CORE_DISABLE_PROMPTS", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING"),
    *("CLOUDSDK_CORE_VERBOSITY", "CLOUDSDK_COMPUTE_REGION", "CLOUDSDK_COMPUTE_ZONE"),
    *("CLOUDSDK_CONTAINER_CLUSTER", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK"),
)


def _read(invocation: Invocation) -> GKE:
    found = parse(invocation.arguments, values=_VALUES, flags=_FLAGS)
    if "edge" in found.flags:
        raise ConfigError(f"{_PROGRAM} --use_edge_cloud (edge clusters) is not served")
    invocation.refuse_lost(_VARIABLES, _HARMLESS)
    defaults = invocation.environment.get(_ADC_FILE, "")
    if "adc" in found.flags:
        # The plug-in itself ignores the rest then.
        return GKE(google.Login(defaults))
    if invocation.environment.get(_TOKEN):
        raise ConfigError(f"{_TOKEN} in exec.env ends soon: take it out")
    account = found.get("impersonate") or invocation.variable(_GCLOUDS_ACCOUNT)
    if "," in account:
        raise ConfigError(f"{_PROGRAM}: a chain of impersonated service accounts is not served")
    file = invocation.variable(_GCLOUDS_FILE)
    if file:
        return GKE(google.Login(file, account))
    return GKE(google.Login(defaults, account), _GCLOUD)


def _read_config(_config: Mapping[str, object]) -> GKE:
    return GKE(google.Login(), _GCLOUD)


KNOWN = Known(commands={_PROGRAM: _read}, auth_providers={"gcp": _read_config})
