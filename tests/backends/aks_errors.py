"""The errors that Azure is known to give, as it gives them. What is asked of them is in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcks.auth.azure import AKS_SERVER_ID
from mcks.errors import AuthError, ConfigError, Forbidden, Unauthorized, Unreachable
from tests.backends.refusals import (
    CANNOT_FIND,
    CANNOT_GET,
    CANNOT_LOG_IN,
    Case,
    World,
    away,
    server_answers,
)
from tests.fakes.azure import entra_user, kubeconfig
from tests.fakes.cloud import refusing

PATH = (
    "/subscriptions/sub/resourceGroups/Group/providers/Microsoft.ContainerService"
    "/managedClusters/hub"
)


ENTRA = "login.microsoftonline.com"


ARM = "management.azure.com"


def entra(description: str, error: str = "invalid_client") -> Callable[[World], None]:
    """Let Entra refuse, as it words it."""

    def arrange(world: World) -> None:
        text = f"{description} Trace ID: 1 Correlation ID: 2 Timestamp: 2026-01-01 00:00:00Z"
        code = int(description.partition(":")[0].removeprefix("AADSTS"))
        body = {"error": error, "error_description": text, "error_codes": [code]}
        world.cloud.handlers[ENTRA] = refusing(401, body)

    return arrange


def metadata(code: int, error: str, description: str) -> Callable[[World], None]:
    """Let the metadata service refuse."""

    def arrange(world: World) -> None:
        body = {"error": error, "error_description": description}
        world.cloud.handlers["127.0.0.1"] = refusing(code, body)

    return arrange


def manager(code: int, word: str, message: str, **headers: str) -> Callable[[World], None]:
    """Let the Resource Manager refuse."""

    def arrange(world: World) -> None:
        body = {"error": {"code": word, "message": message}}
        world.cloud.handlers[ARM] = refusing(code, body, **headers)

    return arrange


def no_metadata_service(world: World) -> None:
    world.monkeypatch.setenv(
        "AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{world.closed_port}"
    )


def without_secret(world: World) -> None:
    world.monkeypatch.delenv("AZURE_CLIENT_SECRET")


def out_of_reach(**properties: Any) -> Callable[[World], None]:
    """Let nobody listen where the API server should be."""

    def arrange(world: World) -> None:
        where = f"https://127.0.0.1:{world.closed_port}"
        described = kubeconfig(where, world.server.ca_data, entra_user(AKS_SERVER_ID))
        world.cloud.add_cluster(PATH, described)
        world.cloud.properties = properties

    return arrange


BY_SECRET = f"{CANNOT_LOG_IN}: Entra (environment)"


BY_FEDERATION = f"{CANNOT_LOG_IN}: Entra (workload-identity)"


BY_MACHINE = f"{CANNOT_LOG_IN}: Entra (managed-identity)"


CALL = f"{CANNOT_FIND}: Azure: managedClusters/listClusterUserCredential"


FEDERATED = {"credential": "workload-identity"}


NO_RECORD = "No matching federated identity record found for presented assertion subject"


AT_LOG_IN = [
    Case(
        "a wrong secret",
        AuthError,
        BY_SECRET,
        "AADSTS7000215: Invalid client secret provided",
        "set AZURE_CLIENT_SECRET to its value, not to its id",
        entra(
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the "
            "request is the client secret value, not the client secret ID."
        ),
    ),
    Case(
        "an expired secret",
        AuthError,
        BY_SECRET,
        "AADSTS7000222: The provided client secret keys for app 'x' are expired",
        "make another one, or better use workload identity",
        entra("AADSTS7000222: The provided client secret keys for app 'x' are expired."),
    ),
    Case(
        "an unknown application",
        AuthError,
        BY_SECRET,
        "AADSTS700016: Application with identifier 'x' was not found",
        "set client_id and tenant_id",
        entra("AADSTS700016: Application with identifier 'x' was not found in the directory."),
    ),
    Case(
        "an unknown account",
        AuthError,
        BY_SECRET,
        "AADSTS50034: The user account x does not exist in the directory",
        "a managed identity of the tenant that tenant_id names",
        entra("AADSTS50034: The user account x does not exist in the directory.", "invalid_grant"),
    ),
    Case(
        "an unknown tenant",
        AuthError,
        BY_SECRET,
        "AADSTS90002: Tenant 'x' not found",
        "set tenant_id, or AZURE_TENANT_ID",
        entra("AADSTS90002: Tenant 'x' not found.", "invalid_request"),
    ),
    Case(
        "a refusal that nobody knows",
        AuthError,
        BY_SECRET,
        "AADSTS1: Something else",
        "Entra's documentation lists it",
        entra("AADSTS1: Something else."),
    ),
    Case(
        "no federated credential",
        AuthError,
        BY_FEDERATION,
        f"AADSTS70021: {NO_RECORD}",
        "a federated credential with just the issuer, subject",
        entra(f"AADSTS70021: {NO_RECORD} 'x'."),
        FEDERATED,
    ),
    Case(
        "no federated credential for this subject",
        AuthError,
        BY_FEDERATION,
        f"AADSTS700213: {NO_RECORD}",
        "a federated credential with just the issuer, subject",
        entra(f"AADSTS700213: {NO_RECORD} 'x'."),
        FEDERATED,
    ),
    Case(
        "an old federated token",
        AuthError,
        BY_FEDERATION,
        "AADSTS700024: Client assertion is not within its valid time range",
        "set it right (NTP)",
        entra("AADSTS700024: Client assertion is not within its valid time range."),
        FEDERATED,
    ),
    Case(
        "a managed identity that is not assigned",
        AuthError,
        BY_MACHINE,
        "The requested identity has not been assigned to this resource",
        "assign a machine an identity, and name it by client_id",
        metadata(400, "invalid_request", "Identity not found"),
        {"credential": "managed-identity"},
    ),
    Case(
        "a machine without a metadata service",
        AuthError,
        BY_MACHINE,
        "ManagedIdentityCredential authentication unavailable",
        "On AKS give the hub's ServiceAccount Workload Identity",
        no_metadata_service,
        {"credential": "managed-identity"},
    ),
    Case(
        "a log-in service that is away",
        Unreachable,
        BY_SECRET,
        "127.0.0.1",
        "Let the hub reach the log-in service; HTTPS_PROXY counts",
        away,
    ),
    Case(
        "no secret at all",
        ConfigError,
        CANNOT_LOG_IN,
        "client_certificate_path is missing",
        "set it, or AZURE_CLIENT_CERTIFICATE_PATH",
        without_secret,
    ),
]


AT_START = [
    Case(
        "a missing role",
        AuthError,
        CALL,
        "AuthorizationFailed: The client 'x' with object id 'y' does not have authorization",
        "needs the role Azure Kubernetes Service Cluster User Role on the cluster",
        manager(
            403,
            "AuthorizationFailed",
            "The client 'x' with object id 'y' does not have authorization to perform action.",
        ),
    ),
    Case(
        "an unknown cluster",
        ConfigError,
        CALL,
        "ResourceNotFound: The Resource was not found",
        "Set cluster to the name of one in this resource group",
        settings={"cluster": "hubb"},
    ),
    Case(
        "an unknown resource group",
        ConfigError,
        CALL,
        "ResourceGroupNotFound: Resource group 'Group' could not be found",
        "Set resource_group to the one that the cluster itself is in",
        manager(404, "ResourceGroupNotFound", "Resource group 'Group' could not be found."),
    ),
    Case(
        "an unknown subscription",
        ConfigError,
        CALL,
        "SubscriptionNotFound: The subscription 'sub' could not be found",
        "Set subscription to the id of the cluster's",
        manager(404, "SubscriptionNotFound", "The subscription 'sub' could not be found."),
    ),
    Case(
        "a subscription of another tenant",
        AuthError,
        CALL,
        "InvalidAuthenticationTokenTenant: The access token is from the wrong issuer",
        "Set tenant_id to the Entra tenant of the subscription",
        manager(
            401,
            "InvalidAuthenticationTokenTenant",
            "The access token is from the wrong issuer.",
        ),
    ),
    Case(
        "too many calls",
        AuthError,
        CALL,
        "TooManyRequests: The request was throttled (asks to wait 600 seconds)",
        "The hub waits and asks again by itself",
        manager(429, "TooManyRequests", "The request was throttled.", retry_after="600"),
    ),
    Case(
        "a fault",
        Unreachable,
        CALL,
        "HTTP status 500: Something went wrong",
        "The fault is Azure's: try again later",
        manager(500, "InternalServerError", "Something went wrong."),
    ),
    Case(
        "a stopped cluster",
        Unreachable,
        CANNOT_GET,
        "no connection",
        "The cluster is stopped: start it (az aks start)",
        out_of_reach(powerState={"code": "Stopped"}),
    ),
    Case(
        "a private cluster",
        Unreachable,
        CANNOT_GET,
        "no connection",
        "The cluster is private: the hub must be in its network and resolve its private DNS zone",
        out_of_reach(apiServerAccessProfile={"enablePrivateCluster": True}),
    ),
    Case(
        "an API server that knows nobody",
        Unauthorized,
        CANNOT_GET,
        "Unauthorized",
        "Set tenant_id to the cluster's Entra tenant, and server_id to its application",
        server_answers(401, "Unauthorized", "Unauthorized"),
    ),
    Case(
        "an API server that allows nothing",
        Forbidden,
        CANNOT_GET,
        "User does not have access to the resource in Azure",
        "`mcks rbac` prints the Role",
        server_answers(
            403,
            "Forbidden",
            'pods "p" is forbidden: User "oid" cannot get resource "pods" in API group "" in the '
            'namespace "ns": User does not have access to the resource in Azure. Update role '
            "assignment to allow access.",
        ),
    ),
]
