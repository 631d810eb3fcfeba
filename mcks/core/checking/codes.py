"""Every code that a check may give: what it means, why it comes, what to do. Only a table.

A code keeps its meaning for ever: programs and people's notes name it. They are MCKS0xx for the
file and the hub's own settings, MCKS1xx for clusters, profiles and the objects of servers, MCKS2xx
for what Kubernetes' schemas say, MCKS3xx for what clusters say. docs/reference/check-codes.md is
made of this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Code:
    """What all findings of one code have in common."""

    title: str
    severity: Severity
    cause: str
    remedy: str


def _error(title: str, cause: str, remedy: str) -> Code:
    return Code(title, "error", cause, remedy)


def _warning(title: str, cause: str, remedy: str) -> Code:
    return Code(title, "warning", cause, remedy)


def _note(title: str, cause: str, remedy: str) -> Code:
    return Code(title, "note", cause, remedy)


CODES: dict[str, Code] = {
    # -- the file -------------------------------------------------------------------------------
    "MCKS001": _error(
        "The file is no Python",
        "Python cannot read the configuration file, or one that it imports or loads.",
        "Correct the line that is named.",
    ),
    "MCKS002": _error(
        "The file fails",
        "A statement of the configuration raised an exception: a name that does not exist, a "
        "module that is not installed, an environment variable that is not set.",
        "Correct the line that is named, or run the check in the hub's own environment.",
    ),
    # -- sections and the hub's settings ---------------------------------------------------------
    "MCKS010": _error(
        "No such spawner class",
        "`c.JupyterHub.spawner_class` names a class that cannot be imported, or an entry point "
        "that nobody has installed.",
        'Write `c.JupyterHub.spawner_class = "mcks"`.',
    ),
    "MCKS011": _warning(
        "The hub uses another spawner",
        "`c.JupyterHub.spawner_class` is not set, or is no spawner of mcks, so nothing that was "
        "checked has any effect in this hub.",
        'Write `c.JupyterHub.spawner_class = "mcks"`.',
    ),
    "MCKS012": _error(
        "Unknown setting",
        "A section that mcks reads has a name that is no setting of it. traitlets only warns of "
        "this, in a log that few read.",
        "Correct the name; for KubeSpawner's, write what the line says instead.",
    ),
    "MCKS013": _error(
        "Wrong value of a setting",
        "The setting does not take such a value.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS014": _warning(
        "A section that nobody reads",
        "The section's name is nearly one that has an effect.",
        "Correct the name of the section.",
    ),
    "MCKS015": _error(
        "A name of KubeSpawner's that does not exist",
        "`c.KubeSpawner` is read, and has a name that neither KubeSpawner nor mcks knows.",
        "Correct the name.",
    ),
    "MCKS016": _note(
        "Without effect here",
        "A setting of KubeSpawner's means nothing to mcks, or the section is not read at all.",
        "Take it out, or write what the line says instead.",
    ),
    "MCKS017": _error(
        "A mistake in group_overrides",
        "`c.Spawner.group_overrides` has another form than JupyterHub reads, or sets what the "
        "spawner does not know.",
        "Write a dict of entries, each with `groups` and `spawner_override`.",
    ),
    "MCKS018": _warning(
        "Unknown setting of JupyterHub's",
        "`c.JupyterHub` or `c.Spawner` has a name that is nearly one of their settings, and no "
        "such setting.",
        "Correct the name.",
    ),
    "MCKS022": _error(
        "internal_ssl",
        "JupyterHub's internal TLS wants the hub's own certificates at both ends, and the gateway "
        "between them ends TLS.",
        "Take `c.JupyterHub.internal_ssl` out, and use https in `ingress_public_url`.",
    ),
    "MCKS023": _error(
        "hub_connect_url is no URL",
        "Servers are told this address of the hub, and it has no scheme, no host or a wrong port.",
        "Write `https://HOST` or `http://HOST:PORT`.",
    ),
    "MCKS024": _error(
        "hub_connect_url is a loopback address",
        "In a Pod such an address means the Pod itself, not the machine of the hub.",
        "Write an address of the hub that Pods reach.",
    ),
    "MCKS025": _warning(
        "Pods are not told where the hub is",
        "Nobody says `hub_connect_url`, so servers are told the address at which the hub listens, "
        "which Pods of another cluster do not reach.",
        "Set `hub_connect_url` of each cluster, or `c.JupyterHub.hub_connect_url`.",
    ),
    "MCKS026": _warning(
        "hub_connect_url is a bare host name",
        "A name without a dot is known only in the namespace, or the network, in which it is made: "
        "not in other clusters.",
        "Write the hub's whole name, as Pods of this cluster can resolve it.",
    ),
    "MCKS027": _error(
        "hub_id is no name",
        "`hub_id` becomes part of names and the value of a label, so it is a DNS label.",
        "Write lower-case letters, digits and `-`, at most 30, beginning with a letter.",
    ),
    "MCKS028": _error(
        "No port",
        "The server listens at this port in its Pod, and its Service names it.",
        "Write a number from 1 to 65535; without root in the container, above 1023.",
    ),
    "MCKS029": _warning(
        "start_timeout is short",
        "mcks ends a start by itself a tenth of this time earlier, to tell why. A node may need "
        "minutes to fetch an image, and the time for an API server that is busy counts as well.",
        "Write at least 60; 300 is the default.",
    ),
    # -- clusters ---------------------------------------------------------------------------------
    "MCKS101": _error(
        "Unknown key of a cluster",
        "Neither mcks nor the cluster's backend knows the key.",
        "Correct the key, or `backend`: `mcks backends` lists what each takes.",
    ),
    "MCKS102": _error(
        "Wrong value in a cluster's entry",
        "The setting does not take a value of this type.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS103": _error(
        "The backend cannot be loaded",
        "`backend` names none that is installed, or its package, or a library that it needs, is "
        "missing or broken.",
        "Correct the name, or install the extra that is named.",
    ),
    "MCKS104": _error(
        "Settings of a cluster that cannot work",
        "Settings contradict each other, or a name or a URL is none.",
        "Correct the setting that is named.",
    ),
    "MCKS105": _error(
        "No address of the gateway",
        "Neither the cluster nor the profile has an `ingress_public_url`, or it is no URL that "
        "JupyterHub's proxy can use.",
        "Write `ingress_public_url` into the cluster's entry: scheme, host, optional port.",
    ),
    "MCKS106": _error(
        "What the backend needs is missing",
        "The backend can tell without a network that it could not log in: a kubeconfig or its "
        "context, a file, a required setting.",
        "Correct the setting, or bring the file.",
    ),
    "MCKS107": _error(
        "No label",
        "A key or a value in `labels` is none that Kubernetes takes.",
        "Write keys like `team` or `example.org/team`, and values of at most 63 letters, digits, "
        "`-`, `_` and `.`.",
    ),
    "MCKS108": _warning(
        "No such region",
        "The cloud's own library knows no such region, or another in which it has no clusters. It "
        "may be newer than the library.",
        "Correct the region, or update the library.",
    ),
    "MCKS109": _warning(
        "The hub's address passes with its Pod",
        "The hub listens everywhere and has no other name than its Pod's, so servers in its own "
        "cluster are told its Pod's address. A new Pod of the hub has another one.",
        "Give the hub a Service, and name it in `c.JupyterHub.hub_connect_url`.",
    ),
    "MCKS110": _warning(
        "Less protected than with KubeSpawner",
        "The configuration has been KubeSpawner's, or its chart's, which kept servers from more "
        "than those of this cluster are kept from.",
        "Write `isolate` into the cluster's entry, or let objects and patches of your own say it.",
    ),
    # -- profiles ---------------------------------------------------------------------------------
    "MCKS121": _error(
        "A mistake in an entry of the profile list",
        "The entry, or an option or a choice in it, has another form than mcks reads. The hub "
        "leaves such an entry out.",
        "Correct the entry.",
    ),
    "MCKS122": _note(
        "A key without effect",
        "The key means nothing to mcks. It is kept for a form's template of your own.",
        "Take it out if no template of yours reads it.",
    ),
    "MCKS123": _warning(
        "Two defaults",
        "Several profiles, or several choices of one option, are marked as the default. Only the "
        "first of them is.",
        "Keep one `default`.",
    ),
    "MCKS124": _error(
        "An override of an unknown setting",
        "A profile, a choice or an unlisted choice sets what is no setting of the spawner.",
        "Correct the name; for KubeSpawner's, write what the line says instead.",
    ),
    "MCKS125": _error(
        "An override with a wrong value",
        "A profile or a choice sets a value that the setting does not take.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS126": _error(
        "No cluster, or an unknown one",
        "A profile names a cluster that is not configured, or none while there are several.",
        "Write `cluster` into the profile, with a name that `clusters` has.",
    ),
    # -- objects ----------------------------------------------------------------------------------
    "MCKS130": _error(
        "A template cannot be rendered",
        "The template has a mistake in its Jinja or its YAML, or what it makes is no object.",
        "Correct the line that is named.",
    ),
    "MCKS131": _error(
        "A patch cannot be applied",
        "The patch has a mistake in its Jinja or its YAML, its object is not there, or kubectl "
        "would refuse it, too.",
        "Correct the patch. `mcks render` prints the objects, `--diff` what each patch does.",
    ),
    "MCKS132": _error(
        "The server cannot be put together",
        "The objects lack the Secret, the Pod or the container that mcks needs, or a variable of "
        "the environment cannot reach the container.",
        "Correct what the line names.",
    ),
    "MCKS133": _error(
        "Users would share a name",
        "`key_template` or a user's `namespace` gives the same for two users, or for two servers "
        "of one user: the second start fails.",
        "Write `{{username}}` or `{{userid}}` into it, and `{{servername}}` into `key_template`.",
    ),
    "MCKS134": _warning(
        "Nearly the name of another",
        "A patch adds a container, a volume or a port whose name is nearly that of one that is "
        "there. It would be a second one.",
        "Correct the name, or take one that is less alike.",
    ),
    "MCKS135": _error(
        "The form cannot be shown",
        "`profile_form_template`, or the `form.html` of a directory that is named, has a mistake "
        "in its Jinja.",
        "Correct the template.",
    ),
    "MCKS140": _note(
        "Not checked",
        "A function wants a real user, or what only a log-in brings, so what it gives is not "
        "checked.",
        "Try such a profile with a user of your own.",
    ),
    "MCKS141": _note(
        "Hidden by a mistake",
        "This cannot be seen before a mistake that is told beside it is mended.",
        "Mend that one and check again.",
    ),
    # -- what Kubernetes' schemas say -------------------------------------------------------------
    "MCKS200": _error(
        "No such field",
        "Kubernetes has no field of this name there. It is misspelt, or indented too little or too "
        "much.",
        "Correct the name, or move the field to where it belongs.",
    ),
    "MCKS201": _error(
        "Wrong type of a field",
        "The field takes another type: a text where a number belongs, a mapping where a list does.",
        "Write a value of the type that the line tells.",
    ),
    "MCKS202": _error(
        "A field is missing",
        "Kubernetes needs this field.",
        "Add it.",
    ),
    "MCKS203": _error(
        "No such kind of object",
        "`kind` is none of its API group, or not in the version that `apiVersion` says.",
        "Correct `kind` or `apiVersion`.",
    ),
    "MCKS204": _error(
        "No valid name",
        "A name, or a label's or an annotation's key or value, has characters that Kubernetes does "
        "not take there, or too many.",
        "Write a name as the line tells.",
    ),
    "MCKS205": _error(
        "No quantity",
        "Kubernetes cannot read this amount of memory, CPU or storage.",
        "Write a number with one of Kubernetes' units: `m`, `k`, `M`, `G`, `Ki`, `Mi`, `Gi`.",
    ),
    "MCKS206": _error(
        "No image reference",
        "No node can read this image's name: the Pod would stay in `InvalidImageName`.",
        "Write `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`.",
    ),
    "MCKS207": _error(
        "A value that Kubernetes does not know",
        "The field takes a few words only, a port, or base64.",
        "Write one of the values that the line tells.",
    ),
    "MCKS208": _error(
        "Too large",
        "An object holds more than Kubernetes stores in one.",
        "Put files into a volume.",
    ),
    "MCKS209": _error(
        "It does not fit together",
        "Parts of one Pod contradict each other: a mount without its volume, two containers of one "
        "name, a request above its limit.",
        "Correct the part that the line names.",
    ),
    "MCKS220": _note(
        "Objects were not compared with Kubernetes' schemas",
        "The schemas are not installed. A hub does not need them.",
        "Install them where you check: `pip install 'mcks[check]'`.",
    ),
}
