"""The errors that AWS is known to give, as it gives them. What is asked of them is in the test."""

from __future__ import annotations

from collections.abc import Callable

from mcks.errors import AuthError, ConfigError, Forbidden, Unauthorized, Unreachable
from tests.backends.refusals import CANNOT_FIND, CANNOT_GET, Case, World, server_answers
from tests.fakes.aws import SECRETS, eks_error, sts_error

ROLE = "arn:aws:iam::2:role/hub"
SESSION = "SESSIONTOKENOFTHEHUB"


def eks(code: int, word: str, message: str) -> Callable[[World], None]:
    """Let DescribeCluster fail."""

    def arrange(world: World) -> None:
        world.cloud.errors["DescribeCluster"] = eks_error(code, word, message)

    return arrange


def sts(operation: str, code: int, word: str, message: str) -> Callable[[World], None]:
    """Let a call for keys fail."""

    def arrange(world: World) -> None:
        world.cloud.errors[operation] = sts_error(code, word, message)

    return arrange


def without_keys(world: World) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        world.monkeypatch.delenv(f"AWS_{name}")


def half_a_key(world: World) -> None:
    world.monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def away(world: World) -> None:
    world.monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{world.closed_port}")


def refusing_pod_identity(world: World) -> None:
    without_keys(world)
    (world.folder / "pod-token").write_text(SECRETS[3])
    url = f"{world.cloud.url}/v1/nothing"
    world.monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    file = str(world.folder / "pod-token")
    world.monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file)


def private(world: World) -> None:
    network = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    url = f"https://127.0.0.1:{world.closed_port}"
    world.cloud.add_cluster("hub", world.server.ca_data, url, resourcesVpcConfig=network)


def limited(world: World) -> None:
    network = {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}
    url = f"https://127.0.0.1:{world.closed_port}"
    world.cloud.add_cluster("hub", world.server.ca_data, url, resourcesVpcConfig=network)


def creating(world: World) -> None:
    world.cloud.clusters["hub"]["status"] = "CREATING"


MISMATCH = "The request signature we calculated does not match the signature you provided"
QUOTED = (
    f"{MISMATCH}. Check your AWS Secret Access Key and signing method. Consult the service "
    "documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n"
    f"/clusters/hub\n\nx-amz-security-token:{SESSION}\n\nhost;x-amz-date;x-amz-security-token'\n\n"
    "The String-to-Sign should have been\n'AWS4-HMAC-SHA256'"
)
CALL = f"{CANNOT_FIND}: AWS: eks:DescribeCluster"
BY_ROLE, BY_POD = {"role_arn": ROLE}, {"web_identity": True}
AT_START = [
    Case(
        "a missing permission",
        AuthError,
        CALL,
        "AccessDeniedException: User: x is not authorized to perform: eks:DescribeCluster",
        "needs the permission eks:DescribeCluster on the cluster",
        eks(
            403,
            "AccessDeniedException",
            "User: x is not authorized to perform: eks:DescribeCluster on resource: y",
        ),
    ),
    Case(
        "an unknown access key",
        AuthError,
        CALL,
        "UnrecognizedClientException: The security token included in the request is invalid",
        "Give the hub another one, or better a role",
        eks(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    ),
    Case(
        "an ended session",
        AuthError,
        CALL,
        "ExpiredTokenException: The security token included in the request is expired",
        "let their source (profile, environment, metadata service) give the hub new ones",
        eks(
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
    ),
    Case(
        "a wrong secret key",
        AuthError,
        CALL,
        f"InvalidSignatureException: {MISMATCH}",
        "The secret key is wrong, or the hub's clock is off: set that right (NTP)",
        eks(403, "InvalidSignatureException", QUOTED),
    ),
    Case(
        "a wrong clock",
        AuthError,
        CALL,
        "InvalidSignatureException: Signature expired: 20260101T000000Z is now earlier than",
        "set that right (NTP)",
        eks(
            403,
            "InvalidSignatureException",
            "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z",
        ),
    ),
    Case(
        "an unknown cluster",
        ConfigError,
        CALL,
        "ResourceNotFoundException: No cluster found for name: hubb",
        "set cluster and region, or role_arn if it is in another account",
        settings={"cluster": "hubb"},
    ),
    Case(
        "throttling",
        AuthError,
        CALL,
        "ThrottlingException: Rate exceeded",
        "The hub waits and asks again by itself",
        eks(429, "ThrottlingException", "Rate exceeded"),
    ),
    Case(
        "a fault",
        Unreachable,
        CALL,
        "HTTP status 500 ServerException",
        "The fault is AWS': try again later",
        eks(500, "ServerException", "x"),
    ),
    Case(
        "a service that is away",
        Unreachable,
        CALL,
        'Could not connect to the endpoint URL: "http://127.0.0.1:',
        "Let the hub reach it (HTTPS_PROXY counts), and look whether region is right",
        away,
    ),
    Case(
        "a cluster that is being made",
        ConfigError,
        "(EKS 'hub' in eu-west-1)",
        "status is CREATING",
        "not ACTIVE",
        creating,
    ),
    Case(
        "a private endpoint",
        Unreachable,
        CANNOT_GET,
        "no connection",
        "(endpointPublicAccess is false): the hub must be in its VPC",
        private,
    ),
    Case(
        "an endpoint for others",
        Unreachable,
        CANNOT_GET,
        "no connection",
        "admits only 203.0.113.0/24",
        limited,
    ),
    Case(
        "an API server that knows nobody",
        Unauthorized,
        CANNOT_GET,
        "Unauthorized. EKS does not know arn:aws:sts::123456789012:assumed-role/hub/mcks",
        "make an access entry for this IAM identity",
        server_answers(401, "Unauthorized", "Unauthorized"),
    ),
    Case(
        "an API server that allows nothing",
        Forbidden,
        CANNOT_GET,
        'cannot get resource "pods"',
        "`mcks rbac` prints the Role",
        server_answers(
            403,
            "Forbidden",
            'pods "p" is forbidden: User "u" cannot get resource "pods" in API group "" in the '
            'namespace "ns"',
        ),
    ),
]
KEYS = [
    Case(
        "no credentials",
        AuthError,
        "AWS: ",
        "Unable to locate credentials",
        "On EKS give the hub's ServiceAccount a role (Pod Identity or IRSA)",
        without_keys,
    ),
    Case(
        "half a key",
        AuthError,
        "AWS: ",
        "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
        "On EKS give the hub's ServiceAccount a role",
        half_a_key,
    ),
    Case(
        "a pod without an association",
        AuthError,
        "AWS: ",
        "Error when retrieving credentials from container-role",
        "On EKS give the hub's ServiceAccount a role",
        refusing_pod_identity,
    ),
    Case(
        "a role that does not trust the hub",
        AuthError,
        ": AssumeRole: ",
        "AccessDenied: User: x is not authorized to perform: sts:AssumeRole",
        "Let the role's trust policy name the hub's identity",
        sts(
            "AssumeRole",
            403,
            "AccessDenied",
            "User: x is not authorized to perform: sts:AssumeRole",
        ),
        BY_ROLE,
    ),
    Case(
        "an access key that STS does not know",
        AuthError,
        ": AssumeRole: ",
        "InvalidClientTokenId: The security token included in the request is invalid",
        "Give the hub another one, or better a role",
        sts(
            "AssumeRole",
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        BY_ROLE,
    ),
    Case(
        "a wrong secret key for STS",
        AuthError,
        ": AssumeRole: ",
        f"SignatureDoesNotMatch: {MISMATCH}",
        "set that right (NTP)",
        sts("AssumeRole", 403, "SignatureDoesNotMatch", QUOTED),
        BY_ROLE,
    ),
    Case(
        "throttling by STS",
        AuthError,
        ": AssumeRole: ",
        "Throttling: Rate exceeded",
        "The hub waits and asks again by itself",
        sts("AssumeRole", 400, "Throttling", "Rate exceeded"),
        BY_ROLE,
    ),
    Case(
        "a role that does not trust the hub's pod",
        AuthError,
        ": AssumeRoleWithWebIdentity: ",
        "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "name the OIDC provider and the hub's ServiceAccount",
        sts(
            "AssumeRoleWithWebIdentity",
            403,
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ),
        BY_POD,
    ),
    Case(
        "an account without OIDC provider",
        AuthError,
        ": AssumeRoleWithWebIdentity: ",
        "InvalidIdentityToken: No OpenIDConnect provider found in your account",
        "Make an IAM OIDC provider for the issuer of the hub's token",
        sts(
            "AssumeRoleWithWebIdentity",
            400,
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for https://oidc.eks.x/id/y",
        ),
        BY_POD,
    ),
]
PROFILE = Case(
    "an unknown profile",
    ConfigError,
    "AWS: eks:DescribeCluster",
    "The config profile (nope) could not be found",
    "Set profile to one of AWS' shared files",
    settings={"profile": "nope"},
)
