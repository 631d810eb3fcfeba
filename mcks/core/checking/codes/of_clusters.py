"""MCKS3xx: what clusters say when they are asked. Only a table."""

from __future__ import annotations

from mcks.core.checking.codes.code import Code, error

OF_CLUSTERS: dict[str, Code] = {
    "MCKS300": error(
        "The API server is not found",
        "The cloud, or the kubeconfig, does not tell where the cluster's API server is. It is a "
        "warning if it tells without saying how to know that it is the right one.",
        "Correct the cluster's entry, or let the hub's identity read the cluster.",
    ),
    "MCKS301": error(
        "No credential",
        "The hub's identity gets no credential for the cluster.",
        "Give the hub an identity of this cloud.",
    ),
    "MCKS302": error(
        "The API server cannot be used",
        "It does not answer, its certificate is not good, or it does not accept the credential. It "
        "is a warning if it works and will not last: an old version, a clock that differs, a "
        "certificate that ends within 30 days.",
        "Do what the line tells: reach it, make it know the identity, renew, upgrade.",
    ),
    "MCKS303": error(
        "Rights are missing",
        "The hub may not do in the cluster what a start needs. It is a warning if it, or its "
        "users, may do too much.",
        "Apply what `mcks rbac` prints.",
    ),
    "MCKS304": error(
        "The cluster refuses the objects",
        "A dry run says that a quota, a policy or a webhook would refuse what a start sends, or "
        "something that it names is not there.",
        "Do what the line tells.",
    ),
    "MCKS305": error(
        "The gateway cannot be used",
        "`ingress_public_url` does not answer, or its certificate is not good. It is a warning if "
        "it redirects elsewhere, or its certificate ends within 30 days.",
        "Do what the line tells.",
    ),
    "MCKS306": error(
        "The function that names the clusters fails",
        "`clusters` is a function, and it raises, does not answer in time, or gives no dict. A hub "
        "that starts now would know no clusters.",
        "Correct the function, or what it asks.",
    ),
    # -- what a server that is started for a moment says ------------------------------------------
    "MCKS310": error(
        "The server does not start",
        "`mcks check --start`: its Pod cannot be made, or its container does not run.",
        "Do what Kubernetes' words ask for; name an image with `python3` by `--image` if the "
        "profile's own has none.",
    ),
    "MCKS311": error(
        "The Pod does not reach the hub",
        "It cannot resolve, reach or ask the hub's API, so a single-user server would end at once.",
        "Correct `hub_connect_url`, or what stands between Pod and hub.",
    ),
    "MCKS312": error(
        "The gateway does not lead to the Pod",
        "The route is there, and the server does not answer at its URL.",
        "Look at the route, the gateway's log, and `ingress_public_url`.",
    ),
    "MCKS313": error(
        "The gateway does not know the hub's Host",
        "The hub's proxy passes on the Host that the browser asked for, and the gateway routes by "
        "it.",
        "Let the gateway route by path whatever the Host is.",
    ),
    "MCKS314": error(
        "The gateway's certificate lacks the hub's name",
        "configurable-http-proxy asks for the certificate by the Host that the browser used.",
        "Give the gateway a certificate for both names.",
    ),
    "MCKS315": error(
        "Paths do not arrive as they are",
        "The gateway decodes, merges or cuts paths, so files with odd names cannot be opened.",
        "Let the gateway pass paths on as they are.",
    ),
    "MCKS316": error(
        "Large requests do not arrive",
        "The gateway refuses a body of 10 MiB, so larger notebooks cannot be saved.",
        "Let the gateway take larger bodies.",
    ),
    "MCKS317": error(
        "WebSockets do not arrive",
        "The gateway does not pass on WebSockets, so no kernel works.",
        "Let the gateway pass on WebSockets.",
    ),
    "MCKS318": error(
        "The server was not taken out",
        "What was started for the check is still there.",
        "`mcks gc` lists it, and deletes it with `--delete`.",
    ),
}
