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
        "`c.JupyterHub.spawner_class` is no spawner of mcks, so nothing that was checked has any "
        "effect in this hub.",
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
        "The section's name is nearly one that has an effect, or is KubeSpawner's while that is "
        "not read.",
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
    # -- clusters ---------------------------------------------------------------------------------
    "MCKS100": _error(
        "A mistake in a cluster's entry",
        "An entry of `clusters` cannot be used: an unknown key, a value of another type, settings "
        "that contradict each other, or what its backend needs is not there.",
        "Correct the entry.",
    ),
    "MCKS101": _warning(
        "The hub's address passes with its Pod",
        "The hub listens everywhere and has no other name than its Pod's, so servers in its own "
        "cluster are told its Pod's address. A new Pod of the hub has another one.",
        "Give the hub a Service, and name it in `c.JupyterHub.hub_connect_url`.",
    ),
    "MCKS105": _warning(
        "An address of the hub that means nothing to pods",
        "Servers ask the hub who their user is, at `hub_connect_url`. This address is `127.0.0.1` "
        "or the like, which is the pod itself there, or a bare name, which nobody outside the "
        "hub's own namespace or machine knows.",
        "Write `hub_connect_url` into the cluster's entry, such as `https://hub.example.org`.",
    ),
    "MCKS106": _warning(
        "Only the hub's own cluster has this",
        "Zero to JupyterHub's own scheduler, priority class or Secret is named, which the chart "
        "makes beside the hub only: elsewhere such a Pod waits for ever, or is refused.",
        "Set the chart's value that the line tells.",
    ),
    # -- profiles ---------------------------------------------------------------------------------
    "MCKS120": _error(
        "A mistake in the profile list",
        "The list, or an entry of it, has another form than mcks reads. The hub leaves such an "
        "entry out.",
        "Correct the entry.",
    ),
    "MCKS121": _error(
        "A mistake in an override",
        "A profile, a choice or an unlisted choice sets what the spawner does not know, or a "
        "value that a setting does not take.",
        "Correct the name or the value.",
    ),
    "MCKS122": _note(
        "A key without effect",
        "The key means nothing to mcks. It is kept for a form's template of your own.",
        "Take it out if no template of yours reads it.",
    ),
    # -- objects ----------------------------------------------------------------------------------
    "MCKS130": _error(
        "The objects cannot be made",
        "What a sample user would get cannot be rendered, patched or put together.",
        "Correct what the line names.",
    ),
    "MCKS140": _note(
        "Not checked",
        "A function wants a real user, or what only a log-in brings, so what it gives is not "
        "checked.",
        "Try such a profile with a user of your own.",
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
