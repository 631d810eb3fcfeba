"""The spawner's own traits: what an administrator may configure. Behaviour does not belong here."""

from __future__ import annotations

from collections.abc import Mapping

from traitlets import Any, Bool, Callable, Dict, Enum, Float, List, Unicode, Union
from traitlets.config import Configurable

from mcks.core.administrator import inventory
from mcks.core.administrator.lending import Borrower, LentDict, LentUnion, read
from mcks.core.manifests.defaults import DEFAULT_OBJECTS


class MultiClusterKubernetesSpawner(Configurable):
    """One of the original's names: ``c.MultiClusterKubernetesSpawner`` takes effect as well."""


class MultiClusterUserSpawner(Configurable):
    """One of the original's names: ``c.MultiClusterUserSpawner`` takes effect as well."""


class Settings(Borrower, MultiClusterKubernetesSpawner, MultiClusterUserSpawner):
    """Traits of MultiClusterKubeSpawner. Anything that Kubernetes can say belongs into patches."""

    clusters = LentUnion(
        [Dict(key_trait=Unicode(), value_trait=Dict()), inventory.InventoryFunction()],
        default_value={},
        config=True,
        help="""
        The clusters by name. Each is a dict of the settings of ``Cluster`` and of its backend.

        A profile chooses one with its key ``cluster``. For example::

            c.MultiClusterKubeSpawner.clusters = {
                "gcp-us": {"context": "gke_p_us-central1_hub",
                           "ingress_public_url": "https://gcp.example.org"},
            }

        It may be a function (async, too) without arguments that returns such a dict. It is called
        again and again, so that clusters come and go without a restart of the hub.
        ``mcks.cluster_profiles()`` makes one of SIG Multicluster's ClusterProfile objects.
        """,
    )
    clusters_interval = Float(
        60.0,
        min=1.0,
        config=True,
        help="""
        Seconds after which ``clusters`` is called again if it is a function.
        """,
    )
    cluster = Unicode(
        "",
        config=True,
        help="""
        Name of the cluster to start in. Normally each profile says its own.

        If unset and there is exactly one entry in ``clusters``, that one.
        """,
    )
    candidates = Union(
        [List(Unicode()), Dict(key_trait=Unicode(), value_trait=Float())],
        default_value=[],
        config=True,
        help="""
        Names of the clusters to start in, where none is chosen: a list in the order in which they
        are tried, or a dict of names and weights. Normally each profile says its own by its key
        ``clusters``.

        A start goes on in the next one if a cluster cannot be reached, or has no place. A server
        that runs never moves. ``cluster`` and ``kubernetes_context`` win over this.
        """,
    )
    quota = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function (async, too) of the spawner and the name of the cluster, asked before a start
        makes anything there.

        What it returns is a sentence for the progress page, such as ``"12 credits left"``, or
        None. It refuses by ``raise mcks.Refused("No credits are left.")``, which the user reads;
        with ``elsewhere=True`` the start goes on in the next cluster that the profile names, if
        there is one. A function that fails ends the start.
        """,
    )
    kubernetes_context = Unicode(
        "",
        config=True,
        help="""
        A context of ``$KUBECONFIG`` to start in, for a cluster without an entry in ``clusters``.
        """,
    )
    ingress_public_url = Unicode(
        "",
        config=True,
        help="""
        URL of the cluster's gateway as the hub's proxy reaches it: scheme, host, optional port.

        It overrides that of the cluster, and is remembered for each server.
        """,
    )
    hub_id = Unicode(
        "",
        config=True,
        help="""
        A short DNS label that names this hub, for hubs that share a namespace.

        It becomes part of the names and labels of objects, so set it before the first server
        starts: data that a server has already keeps its name and lacks the label, and mcks
        leaves alone what it cannot tell to be its own. No other hub may have the same; if unset,
        no other hub may use the namespace.
        """,
    )
    key_template = Unicode(
        "jupyter-{{username}}--{{servername}}",
        config=True,
        help="""
        Jinja2 template of ``key``, which names a server's objects.

        A result that is no DNS label, or longer than 63 characters, is cut and gets a hash.
        """,
    )
    image = Unicode(
        "pangeo/pangeo-notebook:latest",
        config=True,
        help="""
        Image of the server. It needs JupyterHub's single-user server (or ``ready_check``).
        """,
    )
    read_kubespawner = Bool(
        False,
        config=True,
        help="""
        Whether the section ``c.KubeSpawner`` is read, with KubeSpawner's meaning and defaults.

        Its words are translated into the server's objects before ``patches`` apply. Without it,
        that section has no effect; ``kubespawner_override`` of profiles always has.
        """,
    )
    objects = LentDict(
        value_trait=Unicode(allow_none=True),
        key_trait=Unicode(),
        default_value=DEFAULT_OBJECTS,
        config=True,
        help="""
        Jinja2 templates of the Kubernetes objects of a server, by key, in the order of the keys.

        ``c.MultiClusterKubeSpawner.objects.update({...})`` adds to the defaults; the same key
        replaces; None removes. A template may make several documents, or none.
        """,
    )
    resources = LentDict(
        value_trait=Unicode(allow_none=True),
        key_trait=Unicode(),
        config=True,
        help="""
        More templates, merged over ``objects`` by key: the original's later name for the same.
        """,
    )
    patches = LentUnion(
        [Dict(value_trait=Unicode(allow_none=True), key_trait=Unicode()), List(Unicode())],
        default_value={},
        config=True,
        help="""
        Jinja2 templates of strategic merge patches, by key, applied in the order of the keys.

        A patch finds its object by ``kind`` and ``metadata.name``. Those of a profile are merged
        over these by key; None removes one. For example::

            c.MultiClusterKubeSpawner.patches = {
                "01-memory": '''
                    kind: Pod
                    metadata:
                      name: {{key}}
                    spec:
                      containers:
                      - name: notebook
                        resources: {requests: {memory: 1Gi}}
                ''',
            }
        """,
    )
    profile_list = LentUnion(
        [List(Any()), Dict(), Callable()],
        default_value=[],
        config=True,
        help="""
        The profiles that users choose from: a list, a dict (sorted by key), or a function
        (async, too) of the spawner that returns one of these.

        Each is a dict with ``display_name``, and optionally ``slug``, ``description`` (or
        ``description_html``, which is not escaped), ``default``, ``cluster``, ``clusters``,
        ``max_servers``, ``max_starting``, ``max_per_user``, ``max_age``, ``allowed_groups``,
        ``allow``, ``profile_options`` and ``spawner_override``: traits of this spawner and their
        values for the profile. A dict is merged over the trait's own, None removes a key.
        """,
    )
    profile_form_template = Unicode(
        "",
        config=True,
        help="""
        Jinja2 template of the form, as HTML. If unset, the form that comes with mcks.

        It sees ``profile_list`` (slug, display_name, description, default, unavailable, news and
        profile_options of the profiles that the user may use), ``user_options``, what is to be
        preselected: the last choice as far as it is still there, and defaults; and ``notices``,
        sentences about what was chosen or linked and is not there. It must post a field
        ``profile`` with a slug, and may post ``profile-option-SLUG--OPTION``.
        """,
    )
    additional_profile_form_template_paths = List(
        Unicode(),
        config=True,
        help="""
        Directories in which to look for ``form.html``, a template like ``profile_form_template``.

        Packages with a form of their own, such as jupyterhub-fancy-profiles, name theirs here.
        """,
    )
    data = Enum(
        ["stay", "ask", "ignore"],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        Where a server may start whose user has data: claims of lifetime ``user`` that the server
        would mount. Among several clusters those with the data come first in any case.

        ``stay``: only where the data is. ``ask``: elsewhere, without it, if the user says so in the
        form or in the API (``"mcks-data": "elsewhere"``). ``ignore``: anywhere.

        If unset, ``ask`` where a profile, or ``candidates``, names several clusters, and
        ``ignore`` where it names one.
        """,
    )
    ready_check = Enum(
        ["jupyterhub", "http"],
        default_value="jupyterhub",
        config=True,
        help="""
        What counts as ready: ``jupyterhub``, an answer of JupyterHub's single-user server through
        the gateway; ``http``, any answer below 400, for images that are something else.
        """,
    )

    drain_file = Unicode(
        "",
        config=True,
        help="""
        The file in which ``mcks drain`` writes which clusters take no new servers.

        If unset, ``mcks_drained.json`` beside the hub's SQLite database; with any other database in
        the hub's working directory. The hub must be able to read it. A change is seen within
        seconds, and holds until ``mcks undrain``.
        """,
    )
    place_timeout = Float(
        60.0,
        min=0.0,
        config=True,
        help="""
        Seconds for which a server waits for a place in a cluster, if another cluster is left in
        which it may start; time in a queue is not counted.

        Without another cluster it waits as long as the start may take (``start_timeout``).
        """,
    )
    queue_timeout = Float(
        None,
        min=0.0,
        allow_none=True,
        config=True,
        help="""
        Seconds for which a server waits in a cluster's queue: behind a scheduling gate, such as
        Kueue's. None: as long as the start may take (``start_timeout``), and if another cluster is
        left, its share of that.
        """,
    )
    scale_up_time = Float(
        300.0,
        min=0.0,
        config=True,
        help="""
        Seconds that are added to ``place_timeout`` while the cluster adds a machine for the server.

        No start takes longer than ``start_timeout``, so that must have room for it.
        """,
    )

    @property
    def known_clusters(self) -> Mapping[str, dict[str, object]]:
        """The clusters to look at; ``clusters`` would make a copy that may be changed."""
        known: Mapping[str, dict[str, object]] = read(self, "clusters")
        return known

    @property
    def clusters_ever(self) -> Mapping[str, dict[str, object]]:
        """Those too that a function named once and names no more: servers may run there still."""
        return inventory.ever(self.known_clusters)
