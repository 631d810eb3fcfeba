"""Logs in as a recognised kubeconfig stanza says, by the cloud's own module and no program.

Reading stanzas is in `mcks.backends.stanzas`.
"""

from __future__ import annotations

from collections.abc import Hashable

from mcks.auth import aws, azure, google
from mcks.auth.credential import Credential
from mcks.backends.digitalocean_api import TOKEN_LIFE, cluster_credentials, credential_in
from mcks.backends.stanzas import AKS, EKS, GKE, Native


async def log_in(native: Native) -> Credential:
    """Make a credential. Raises `AuthError`, `ConfigError`, `Unreachable`, `MissingDependency`."""
    if isinstance(native, EKS):
        return await aws.eks_token(native.login, native.cluster)
    if isinstance(native, GKE):
        return (await google.log_in(native.login)).credential
    if isinstance(native, AKS):
        return await azure.access_token(native.login, native.scope)
    return credential_in(await cluster_credentials(native.identity))


def renewal(native: Native) -> tuple[float, float | None]:
    """Give seconds before the end, and the age, at which the credential is renewed."""
    if isinstance(native, EKS):
        return 60.0, aws.RENEW_AGE
    if isinstance(native, GKE):
        return google.RENEW_BEFORE, None
    if isinstance(native, AKS):
        return azure.RENEW_BEFORE, None
    return TOKEN_LIFE / 10, None


def credential_key(native: Native) -> Hashable | None:
    """Give what a token is bound to, where it serves several clusters."""
    if isinstance(native, GKE):
        return "google", native.login
    return ("azure", native.login, native.scope) if isinstance(native, AKS) else None


def identity(native: Native) -> str:
    """Say as whom the hub logs in."""
    if isinstance(native, EKS):
        login = native.login
        who = login.role_arn or (f"the AWS profile {login.profile!r}" if login.profile else "")
        return who or "the hub's AWS identity"
    if isinstance(native, GKE):
        return native.login.impersonate or "the hub's Google identity"
    if isinstance(native, AKS):
        return f"the hub's Entra identity {native.login.client_id}".rstrip()
    return "the owner of the hub's DigitalOcean token"
