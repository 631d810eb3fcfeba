"""MCKS0xx: the file, and the hub's own settings. Only a table."""

from __future__ import annotations

from mcks.core.checking.codes.code import Code, error, note, warning

OF_HUBS: dict[str, Code] = {
    # -- the file -------------------------------------------------------------------------------
    "MCKS001": error(
        "The file is no Python",
        "Python cannot read the configuration file, or one that it imports or loads.",
        "Correct the line that is named.",
    ),
    "MCKS002": error(
        "The file fails",
        "A statement of the configuration raised an exception: a name that does not exist, a "
        "module that is not installed, an environment variable that is not set.",
        "Correct the line that is named, or run the check in the hub's own environment.",
    ),
    # -- sections and the hub's settings ---------------------------------------------------------
    "MCKS010": error(
        "No such spawner class",
        "`c.JupyterHub.spawner_class` names a class that cannot be imported, or an entry point "
        "that nobody has installed.",
        'Write `c.JupyterHub.spawner_class = "mcks"`.',
    ),
    "MCKS011": warning(
        "The hub uses another spawner",
        "`c.JupyterHub.spawner_class` is not set, or is no spawner of mcks, so nothing that was "
        "checked has any effect in this hub.",
        'Write `c.JupyterHub.spawner_class = "mcks"`.',
    ),
    "MCKS012": error(
        "Unknown setting",
        "A section that mcks reads has a name that is no setting of it. traitlets only warns of "
        "this, in a log that few read.",
        "Correct the name; for KubeSpawner's, write what the line says instead.",
    ),
    "MCKS013": error(
        "Wrong value of a setting",
        "The setting does not take such a value.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS014": warning(
        "A section that nobody reads",
        "The section's name is nearly one that has an effect, or it is that of a class made of "
        "KubeSpawner.",
        "Correct the name of the section.",
    ),
    "MCKS015": error(
        "A name of KubeSpawner's that does not exist",
        "`c.KubeSpawner` is read, and has a name that neither KubeSpawner nor mcks knows.",
        "Correct the name.",
    ),
    "MCKS016": note(
        "Without effect here",
        "A setting of KubeSpawner's means nothing to mcks, or the section is not read at all.",
        "Take it out, or write what the line says instead.",
    ),
    "MCKS017": error(
        "A mistake in group_overrides",
        "`c.Spawner.group_overrides` has another form than JupyterHub reads, or sets what the "
        "spawner does not know.",
        "Write a dict of entries, each with `groups` and `spawner_override`.",
    ),
    "MCKS018": warning(
        "Unknown setting of JupyterHub's",
        "`c.JupyterHub` or `c.Spawner` has a name that is nearly one of their settings, and no "
        "such setting.",
        "Correct the name.",
    ),
    "MCKS022": error(
        "internal_ssl",
        "JupyterHub's internal TLS wants the hub's own certificates at both ends, and the gateway "
        "between them ends TLS.",
        "Take `c.JupyterHub.internal_ssl` out, and use https in `ingress_public_url`.",
    ),
    "MCKS023": error(
        "hub_connect_url is no URL",
        "Servers are told this address of the hub, and it has no scheme, no host or a wrong port.",
        "Write `https://HOST` or `http://HOST:PORT`.",
    ),
    "MCKS024": error(
        "hub_connect_url is a loopback address",
        "In a Pod such an address means the Pod itself, not the machine of the hub.",
        "Write an address of the hub that Pods reach.",
    ),
    "MCKS025": warning(
        "Pods are not told where the hub is",
        "Nobody says `hub_connect_url`, so servers are told the address at which the hub listens, "
        "which Pods of another cluster do not reach.",
        "Set `hub_connect_url` of each cluster, or `c.JupyterHub.hub_connect_url`.",
    ),
    "MCKS026": warning(
        "hub_connect_url is a bare host name",
        "A name without a dot is known only in the namespace, or the network, in which it is made: "
        "not in other clusters.",
        "Write the hub's whole name, as Pods of this cluster can resolve it.",
    ),
    "MCKS027": error(
        "hub_id is no name",
        "`hub_id` becomes part of names and the value of a label, so it is a DNS label.",
        "Write lower-case letters, digits and `-`, at most 30, beginning with a letter.",
    ),
    "MCKS028": error(
        "No port",
        "The server listens at this port in its Pod, and its Service names it.",
        "Write a number from 1 to 65535; without root in the container, above 1023.",
    ),
    "MCKS029": warning(
        "start_timeout is short",
        "mcks ends a start by itself a tenth of this time earlier, to tell why. A node may need "
        "minutes to fetch an image, and the time for an API server that is busy counts as well.",
        "Write at least 60; 300 is the default.",
    ),
}
