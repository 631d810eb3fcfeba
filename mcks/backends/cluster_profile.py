"""A ClusterProfile of SIG Multicluster as an entry of ``clusters``. Pure.

How profiles are listed (mcks/core/clusters/sig_multicluster.py), and how the hub logs in with such
an entry, does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcks.errors import ConfigError

API_VERSION, KIND = "multicluster.x-k8s.io/v1alpha1", "ClusterProfile"
_HEALTHY = "ControlPlaneHealthy"
_EXTRA_ARGUMENTS = "clusterprofiles.multicluster.x-k8s.io/exec/additional-args"
_EXTRA_VARIABLES = "clusterprofiles.multicluster.x-k8s.io/exec/additional-envs"
_OF_CLUSTER = (
    *("server", "certificate-authority-data", "tls-server-name", "proxy-url", "extensions"),
    "insecure-skip-tls-verify",
)
"""What is taken of a kubeconfig's cluster; a file that it names would be the manager's own."""
_ARGUMENT_POLICIES = ("Ignore", "Append")
_VARIABLE_POLICIES = ("Ignore", "AppendIfNotExists", "Replace")
_KEYS = {"name", "execConfig", "profileSourcedCLIArgsPolicy", "profileSourcedEnvVarsPolicy"}


@dataclass(frozen=True)
class Provider:
    """How the hub logs in where an access provider leads: a program, as a kubeconfig calls it.

    The policies say what a profile may add to the program's arguments and variables.
    """

    name: str
    command: str
    api_version: str = "client.authentication.k8s.io/v1"
    arguments: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    provide_cluster_info: bool = False
    argument_policy: str = "Ignore"
    variable_policy: str = "Ignore"


_AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Entra's application of all AKS clusters."""
NATIVE = (
    Provider("google", "gke-gcloud-auth-plugin"),
    Provider("aws", "aws", arguments=("eks", "get-token"), argument_policy="Append"),
    Provider(
        "azure",
        "kubelogin",
        arguments=("get-token", "--server-id", _AKS, "--login", "workloadidentity"),
    ),
)
"""Those for whose programs mcks itself logs in; a list of one's own takes the place of them."""


def providers_of(listed: Iterable[Any]) -> tuple[Provider, ...]:
    """Read providers, each in the words of a ``--clusterprofile-provider-file``.

    Raises ConfigError.
    """
    return tuple(_provider(one, f"providers[{n}]") for n, one in enumerate(listed))


def _provider(said: Any, where: str) -> Provider:
    if not isinstance(said, Mapping) or said.keys() - _KEYS:
        raise ConfigError(f"{where} must be a dict of {', '.join(sorted(_KEYS))}")
    name, program = said.get("name"), said.get("execConfig")
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{where} has no name")
    if not isinstance(program, Mapping) or not isinstance(program.get("command"), str):
        raise ConfigError(f"{where} ({name}): execConfig must be a dict with a command")
    variables = program.get("env") or []
    for key, value in (("args", program.get("args") or []), ("env", variables)):
        if not isinstance(value, list):
            raise ConfigError(f"{where} ({name}): execConfig.{key} must be a list")
    if any(not isinstance(v, Mapping) or not {"name", "value"} <= v.keys() for v in variables):
        raise ConfigError(f"{where} ({name}): execConfig.env must be a list of names and values")
    return Provider(
        name,
        program["command"],
        str(program.get("apiVersion") or Provider.api_version),
        tuple(map(str, program.get("args") or [])),
        tuple((str(v["name"]), str(v["value"])) for v in variables),
        bool(program.get("provideClusterInfo")),
        _policy(said.get("profileSourcedCLIArgsPolicy"), _ARGUMENT_POLICIES, where),
        _policy(said.get("profileSourcedEnvVarsPolicy"), _VARIABLE_POLICIES, where),
    )


def _policy(said: Any, known: Sequence[str], where: str) -> str:
    if said and said not in known:
        raise ConfigError(f"{where}: the policy {said!r} is none of {', '.join(known)}")
    return said or "Ignore"


def unhealthy(profile: Mapping[str, Any]) -> str:
    """Say why no server should start in the cluster of *profile*; empty if its manager is content
    with it, or says nothing."""
    conditions = (profile.get("status") or {}).get("conditions") or []
    for condition in conditions:
        if condition.get("type") == _HEALTHY and condition.get("status") == "False":
            words = condition.get("message") or condition.get("reason") or "it does not say why"
            return f"its manager says that it is not healthy: {words}"
    return ""


def entry(profile: Mapping[str, Any], providers: Sequence[Provider] = NATIVE) -> dict[str, Any]:
    """Return the entry of ``clusters`` for *profile*, by the first of *providers* that it has.

    Nothing secret is in it: the hub logs in by itself. Raises ConfigError if there is no way.
    """
    name = profile["metadata"]["name"]
    offered = _offered(profile.get("status") or {})
    if not offered:
        raise ConfigError("it has no access provider yet: its manager has to say one")
    for provider in providers:
        if provider.name in offered:
            return _entry(name, offered[provider.name], provider)
    known = ", ".join(provider.name for provider in providers)
    raise ConfigError(
        f"its access providers are {', '.join(sorted(offered))}, and the hub knows {known}: say in "
        "providers by which program it logs in"
    )


def _offered(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Access providers by name; credentialProviders are what they were called before."""
    listed = [*(status.get("credentialProviders") or []), *(status.get("accessProviders") or [])]
    return {one["name"]: one.get("cluster") or {} for one in listed}


def _entry(name: str, cluster: Mapping[str, Any], provider: Provider) -> dict[str, Any]:
    if not cluster.get("server"):
        raise ConfigError(f"its access provider {provider.name} says no server")
    taken = {key: cluster[key] for key in _OF_CLUSTER if cluster.get(key)}
    program = {
        "apiVersion": provider.api_version,
        "command": provider.command,
        "args": _arguments(cluster, provider),
        "env": [{"name": n, "value": v} for n, v in _variables(cluster, provider).items()],
        "interactiveMode": "Never",
        "provideClusterInfo": provider.provide_cluster_info,
    }
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": taken}],
        "users": [{"name": provider.name, "user": {"exec": program}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": provider.name}}],
    }
    runs = {"allowed_exec_plugins": [provider.command]} if provider.command[:1] == "/" else {}
    return {"backend": "generic-kubeconfig", "kubeconfig": kubeconfig, "context": name, **runs}


def _arguments(cluster: Mapping[str, Any], provider: Provider) -> list[str]:
    more = _extension(cluster, _EXTRA_ARGUMENTS)
    if more is None or provider.argument_policy == "Ignore":
        return list(provider.arguments)
    if not isinstance(more, list):
        raise ConfigError(f"its extension {_EXTRA_ARGUMENTS} is no list")
    return [*provider.arguments, *map(str, more)]


def _variables(cluster: Mapping[str, Any], provider: Provider) -> dict[str, str]:
    own, more = dict(provider.variables), _extension(cluster, _EXTRA_VARIABLES)
    if more is None or provider.variable_policy == "Ignore":
        return own
    if not isinstance(more, Mapping):
        raise ConfigError(f"its extension {_EXTRA_VARIABLES} is no mapping")
    theirs = {str(name): str(value) for name, value in more.items()}
    return own | theirs if provider.variable_policy == "Replace" else theirs | own


def _extension(cluster: Mapping[str, Any], name: str) -> Any:
    for extension in cluster.get("extensions") or []:
        if extension.get("name") == name:
            return extension.get("extension")
    return None
