"""The errors that Google is known to give, as it gives them. What is asked of them is in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
from tests.fakes.cloud import refusing

PATH = "projects/p/locations/europe-west1/clusters/hub"


TOKENS = "oauth2.googleapis.com"


STS = "sts.googleapis.com"


API = "container.googleapis.com"


IAM = "iamcredentials.googleapis.com"


def token_error(host: str, code: int, error: str, description: str) -> Callable[[World], None]:
    """Let the token endpoint refuse."""

    def arrange(world: World) -> None:
        body = {"error": error, "error_description": description}
        world.cloud.handlers[host] = refusing(code, body)

    return arrange


def api_error(
    host: str, code: int, word: str, message: str, reason: str = "", **headers: str
) -> Callable[[World], None]:
    """Let an API refuse, with an ErrorInfo if there is a *reason*."""

    def arrange(world: World) -> None:
        error: dict[str, Any] = {"code": code, "status": word, "message": message}
        if reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": reason, "domain": "googleapis.com"}]
        world.cloud.handlers[host] = refusing(code, {"error": error}, **headers)

    return arrange


def without_any_credentials(world: World) -> None:
    world.monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{world.closed_port}")
    world.monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


NOT_USED = (
    "Kubernetes Engine API has not been used in project 1 before or it is disabled. Enable it by "
    "visiting https://console.developers.google.com/apis/api/container.googleapis.com/overview"
)


AT_LOG_IN = [
    Case(
        "a deleted key",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "invalid_grant: Invalid JWT Signature",
        "make another one, or better use workload identity",
        token_error(TOKENS, 400, "invalid_grant", "Invalid JWT Signature."),
    ),
    Case(
        "a wrong clock",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "in a reasonable timeframe",
        "set it right (NTP)",
        token_error(
            TOKENS,
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
            "timeframe. Check your iat and exp values in the JWT claim.",
        ),
    ),
    Case(
        "a deleted account",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "Invalid grant: account not found",
        "use one that exists",
        token_error(TOKENS, 400, "invalid_grant", "Invalid grant: account not found"),
    ),
    Case(
        "a person's login that has ended",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "Token has been expired or revoked",
        "give the hub an identity of its own",
        token_error(TOKENS, 400, "invalid_grant", "Token has been expired or revoked."),
        {"file": "user.json"},
    ),
    Case(
        "a refused federated token",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "rejected by the attribute condition",
        "compare the pool's provider (issuer, audience, attribute condition)",
        token_error(
            STS,
            403,
            "unauthorized_client",
            "The given credential is rejected by the attribute condition.",
        ),
        {"file": "pool.json"},
    ),
    Case(
        "a refused impersonation",
        AuthError,
        f"{CANNOT_LOG_IN}: Google",
        "Unable to acquire impersonated credentials",
        "needs roles/iam.serviceAccountTokenCreator on that account",
        api_error(
            IAM,
            403,
            "PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource",
            "IAM_PERMISSION_DENIED",
        ),
        {"impersonate_service_account": "other@p.iam.gserviceaccount.com"},
    ),
    Case(
        "a log-in service that is away",
        Unreachable,
        f"{CANNOT_LOG_IN}: Google",
        "Unable to connect to proxy",
        "Let the hub reach oauth2.googleapis.com",
        away,
    ),
]


AT_START = [
    Case(
        "no credentials at all",
        AuthError,
        CANNOT_LOG_IN,
        "there is no credentials file",
        "On GKE give the hub's ServiceAccount Workload Identity",
        without_any_credentials,
        {"file": ""},
    ),
    Case(
        "a log-in service with a fault",
        Unreachable,
        f"{CANNOT_LOG_IN}: Google",
        "backend_error",
        "The fault is Google's: try again later",
        token_error(TOKENS, 503, "backend_error", "later"),
    ),
    Case(
        "a missing permission",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        'PERMISSION_DENIED: Required "container.clusters.get" permission(s)',
        "give its identity roles/container.clusterViewer on the project",
        api_error(
            API,
            403,
            "PERMISSION_DENIED",
            'Required "container.clusters.get" permission(s) for "projects/p"',
        ),
    ),
    Case(
        "a missing permission, in IAM's words",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "IAM_PERMISSION_DENIED: Permission 'container.clusters.get' denied",
        "give its identity roles/container.clusterViewer on the project",
        api_error(
            API,
            403,
            "PERMISSION_DENIED",
            "Permission 'container.clusters.get' denied on resource",
            "IAM_PERMISSION_DENIED",
        ),
    ),
    Case(
        "a disabled API",
        ConfigError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "SERVICE_DISABLED: Kubernetes Engine API has not been used in project 1",
        "Enable container.googleapis.com in that project, and wait some minutes",
        api_error(API, 403, "PERMISSION_DENIED", NOT_USED, "SERVICE_DISABLED"),
    ),
    Case(
        "too few scopes",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "Request had insufficient authentication scopes",
        "Give the machine the access scope cloud-platform",
        api_error(
            API,
            403,
            "PERMISSION_DENIED",
            "Request had insufficient authentication scopes.",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        ),
    ),
    Case(
        "a project that may not be charged",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "Caller does not have required permission to use project payer",
        "roles/serviceusage.serviceUsageConsumer on that project",
        api_error(
            API,
            403,
            "PERMISSION_DENIED",
            "Caller does not have required permission to use project payer.",
            "USER_PROJECT_DENIED",
        ),
        {"file": "user.json"},
    ),
    Case(
        "a token that is not accepted",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "UNAUTHENTICATED: Request had invalid authentication credentials",
        "Look whether the account still exists and is enabled",
        api_error(API, 401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    ),
    Case(
        "an unknown cluster",
        ConfigError,
        CANNOT_FIND,
        "there is no such cluster: Not found: projects/p/locations/europe-west1/clusters/hubb",
        "Set project, location and cluster",
        settings={"cluster": "hubb"},
    ),
    Case(
        "an unknown location",
        ConfigError,
        CANNOT_FIND,
        'Location "europe-west1" does not exist',
        "Set project, location and cluster",
        api_error(API, 400, "INVALID_ARGUMENT", 'Location "europe-west1" does not exist.'),
    ),
    Case(
        "a used up quota",
        AuthError,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "RATE_LIMIT_EXCEEDED: Quota exceeded",
        "The hub waits and asks again by itself",
        api_error(API, 429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"),
    ),
    Case(
        "an API with a fault",
        Unreachable,
        f"{CANNOT_FIND}: Google: container.clusters.get",
        "HTTP status 503: The service is currently unavailable",
        "The fault is Google's: try again later, and look at its status page",
        api_error(API, 503, "UNAVAILABLE", "The service is currently unavailable."),
    ),
    Case(
        "an API server that knows nobody",
        Unauthorized,
        CANNOT_GET,
        "Unauthorized",
        "look whether the hub's account still exists",
        server_answers(401, "Unauthorized", "Unauthorized"),
    ),
    Case(
        "an API server that allows nothing",
        Forbidden,
        CANNOT_GET,
        'requires one of ["container.pods.list"] permission(s)',
        "`mcks rbac` prints the Role",
        server_answers(
            403,
            "Forbidden",
            'pods is forbidden: User "hub@p" cannot list resource "pods" in API group "" in the '
            'namespace "ns": requires one of ["container.pods.list"] permission(s).',
        ),
    ),
]
