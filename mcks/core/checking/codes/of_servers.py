"""MCKS1xx: clusters, profiles and the objects of servers. Only a table."""

from __future__ import annotations

from mcks.core.checking.codes.code import Code, error, note, warning

OF_SERVERS: dict[str, Code] = {
    # -- clusters ---------------------------------------------------------------------------------
    "MCKS101": error(
        "Unknown key of a cluster",
        "Neither mcks nor the cluster's backend knows the key.",
        "Correct the key, or `backend`: `mcks backends` lists what each takes.",
    ),
    "MCKS102": error(
        "Wrong value in a cluster's entry",
        "The setting does not take a value of this type.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS103": error(
        "The backend cannot be loaded",
        "`backend` names none that is installed, or its package, or a library that it needs, is "
        "missing or broken.",
        "Correct the name, or install the extra that is named.",
    ),
    "MCKS104": error(
        "Settings of a cluster that cannot work",
        "Settings contradict each other, or a name or a URL is none.",
        "Correct the setting that is named.",
    ),
    "MCKS105": error(
        "No address of the gateway",
        "Neither the cluster nor the profile has an `ingress_public_url`, or it is no URL that "
        "JupyterHub's proxy can use.",
        "Write `ingress_public_url` into the cluster's entry: scheme, host, optional port.",
    ),
    "MCKS106": error(
        "What the backend needs is missing",
        "The backend can tell without a network that it could not log in: a kubeconfig or its "
        "context, a file, a required setting.",
        "Correct the setting, or bring the file.",
    ),
    "MCKS107": error(
        "No label",
        "A key or a value in `labels` is none that Kubernetes takes.",
        "Write keys like `team` or `example.org/team`, and values of at most 63 letters, digits, "
        "`-`, `_` and `.`.",
    ),
    "MCKS108": warning(
        "No such region",
        "The cloud's own library knows no such region, or another in which it has no clusters. It "
        "may be newer than the library.",
        "Correct the region, or update the library.",
    ),
    "MCKS109": warning(
        "The hub's address passes with its Pod",
        "The hub listens everywhere and has no other name than its Pod's, so servers in its own "
        "cluster are told its Pod's address. A new Pod of the hub has another one.",
        "Give the hub a Service, and name it in `c.JupyterHub.hub_connect_url`.",
    ),
    "MCKS110": warning(
        "Less protected than with KubeSpawner",
        "The configuration has been KubeSpawner's, or its chart's, which kept servers from more "
        "than those of this cluster are kept from.",
        "Write `isolate` into the cluster's entry, or let objects and patches of your own say it.",
    ),
    "MCKS111": warning(
        "Only the hub's own cluster has this",
        "Zero to JupyterHub's own scheduler, priority class or Secret is named, which the chart "
        "makes beside the hub only: elsewhere such a Pod waits for ever, or is refused.",
        "Set the chart's value that the line tells.",
    ),
    # -- profiles ---------------------------------------------------------------------------------
    "MCKS121": error(
        "A mistake in an entry of the profile list",
        "The entry, or an option or a choice in it, has another form than mcks reads. The hub "
        "leaves such an entry out.",
        "Correct the entry.",
    ),
    "MCKS122": note(
        "A key without effect",
        "The key means nothing to mcks. It is kept for a form's template of your own.",
        "Take it out if no template of yours reads it.",
    ),
    "MCKS123": warning(
        "Two defaults",
        "Several profiles, or several choices of one option, are marked as the default. Only the "
        "first of them is.",
        "Keep one `default`.",
    ),
    "MCKS124": error(
        "An override of an unknown setting",
        "A profile, a choice or an unlisted choice sets what is no setting of the spawner.",
        "Correct the name; for KubeSpawner's, write what the line says instead.",
    ),
    "MCKS125": error(
        "An override with a wrong value",
        "A profile or a choice sets a value that the setting does not take.",
        "Write a value of the type that the reference tells.",
    ),
    "MCKS126": error(
        "No cluster, or an unknown one",
        "A profile names a cluster that is not configured, or none while there are several.",
        "Write `cluster` into the profile, with a name that `clusters` has.",
    ),
    # -- objects ----------------------------------------------------------------------------------
    "MCKS130": error(
        "A template cannot be rendered",
        "The template has a mistake in its Jinja or its YAML, or what it makes is no object.",
        "Correct the line that is named.",
    ),
    "MCKS131": error(
        "A patch cannot be applied",
        "The patch has a mistake in its Jinja or its YAML, its object is not there, or kubectl "
        "would refuse it, too.",
        "Correct the patch. `mcks render` prints the objects, `--diff` what each patch does.",
    ),
    "MCKS132": error(
        "The server cannot be put together",
        "The objects lack the Secret, the Pod or the container that mcks needs, or a variable of "
        "the environment cannot reach the container.",
        "Correct what the line names.",
    ),
    "MCKS133": error(
        "Users would share a name",
        "`key_template` or a user's `namespace` gives the same for two users, or for two servers "
        "of one user: the second start fails.",
        "Write `{{username}}` or `{{userid}}` into it, and `{{servername}}` into `key_template`.",
    ),
    "MCKS134": warning(
        "Nearly the name of another",
        "A patch adds a container, a volume or a port whose name is nearly that of one that is "
        "there. It would be a second one.",
        "Correct the name, or take one that is less alike.",
    ),
    "MCKS135": error(
        "The form cannot be shown",
        "`profile_form_template`, or the `form.html` of a directory that is named, has a mistake "
        "in its Jinja.",
        "Correct the template.",
    ),
    "MCKS140": note(
        "Not checked",
        "A function wants a real user, or what only a log-in brings, so what it gives is not "
        "checked.",
        "Try such a profile with a user of your own.",
    ),
    "MCKS141": note(
        "Hidden by a mistake",
        "This cannot be seen before a mistake that is told beside it is mended.",
        "Mend that one and check again.",
    ),
}
