"""KubeSpawner's traits that mcks' own spawner does not have: names, types, defaults. No behaviour.

Their meaning is KubeSpawner's; `pod` and `claim` translate them. They are values of a spawner, so
that hooks may set them, but configured under ``c.KubeSpawner`` and ``kubespawner_override`` only.
"""

from __future__ import annotations

from traitlets import Bool, Callable, Dict, Enum, HasTraits, Int, List, Unicode, Union

from mcks.core.kubespawner.fields import SCHEMES

EXPANDED = frozenset(
    {
        *("environment", "extra_annotations", "extra_containers", "extra_labels"),
        *("extra_pod_config", "init_containers", "pod_name_template", "pvc_name_template"),
        *("service_account", "storage_extra_annotations", "storage_extra_labels"),
        *("storage_selector", "user_namespace_annotations", "user_namespace_labels"),
        *("user_namespace_template", "volume_mounts", "volumes", "working_dir"),
    }
)
"""Words in whose texts ``{username}`` and its like are fields; elsewhere braces are braces."""
CALLED = frozenset(
    {
        *("container_security_context", "fs_gid", "gid", "pod_security_context"),
        *("supplemental_gids", "uid"),
    }
)
"""Words that may be functions of the spawner, async too, called at each start."""
OBJECTS = (
    *("volumes", "volume_mounts", "init_containers", "extra_containers", "tolerations"),
    *("node_affinity_preferred", "node_affinity_required", "pod_affinity_preferred"),
    *("pod_affinity_required", "pod_anti_affinity_preferred", "pod_anti_affinity_required"),
)
"""Words that are lists of objects, or dicts of them."""
HOOKS = frozenset({"after_pod_created_hook", "modify_pod_hook"})
"""Words that are functions of the spawner and its Pod; they describe no object themselves."""
WITHOUT_EFFECT = frozenset(
    {
        *("delete_stopped_pods", "dns_name_template", "events_enabled", "get_pod_url"),
        *("handle_legacy_names", "hub_connect_ip", "hub_connect_port", "k8s_api_host"),
        *("k8s_api_request_retry_timeout", "k8s_api_request_timeout", "k8s_api_ssl_ca_cert"),
        *("k8s_api_threadpool_workers", "k8s_api_verify_ssl", "pod_connect_ip"),
        *("secret_mount_path", "secret_name_template", "services_enabled"),
        *("slow_spawn_message", "slow_spawn_message_frequency", "slow_spawn_message_threshold"),
    }
)
"""KubeSpawner's traits that have no meaning here."""
SAYS_WHAT_HOLDS = {"events_enabled": True}
"""Values of these with which KubeSpawner does what mcks does anyway."""


def _number() -> Union:
    return Union([Int(), Callable()], default_value=None, allow_none=True)


def _items() -> Union:
    return Union([List(), Dict()])


def _context() -> Union:
    return Union([Dict(), Callable()])


class KubeSpawnerWords(HasTraits):
    """What describes a Pod, its claim, their names, namespace and labels in KubeSpawner 7."""

    # the Pod
    allow_privilege_escalation = Bool(False, allow_none=True)
    automount_service_account_token = Bool(None, allow_none=True)
    common_labels = Dict(
        {
            "app.kubernetes.io/name": "jupyterhub",
            "app.kubernetes.io/managed-by": "kubespawner",
            "app": "jupyterhub",
            "heritage": "jupyterhub",
        }
    )
    component_label = Unicode("singleuser-server")
    container_security_context = _context()
    delete_grace_period = Int(1)
    extra_annotations = Dict()
    extra_container_config = Dict()
    extra_containers = _items()
    extra_labels = Dict()
    extra_pod_config = Dict()
    extra_resource_guarantees = Dict()
    extra_resource_limits = Dict()
    fs_gid = _number()
    gid = _number()
    image_pull_policy = Unicode(None, allow_none=True)
    image_pull_secrets = Union([List(), Unicode()])
    init_containers = _items()
    lifecycle_hooks = Dict()
    node_affinity_preferred = _items()
    node_affinity_required = _items()
    node_selector = Dict()
    pod_affinity_preferred = _items()
    pod_affinity_required = _items()
    pod_anti_affinity_preferred = _items()
    pod_anti_affinity_required = _items()
    pod_security_context = _context()
    priority_class_name = Unicode()
    privileged = Bool(False)
    scheduler_name = Unicode(None, allow_none=True)
    service_account = Unicode(None, allow_none=True)
    supplemental_gids = Union([List(), Callable()])
    tolerations = _items()
    uid = _number()
    volume_mounts = _items()
    volumes = _items()
    working_dir = Unicode(None, allow_none=True)
    # the claim
    delete_pvc = Bool(True)
    remember_pvc_name = Bool(True)
    storage_access_modes = List(["ReadWriteOnce"])
    storage_capacity = Unicode(None, allow_none=True)
    storage_class = Unicode(None, allow_none=True)
    storage_extra_annotations = Dict()
    storage_extra_labels = Dict()
    storage_pvc_ensure = Bool(False)
    storage_selector = Dict()
    # names
    pod_name_template = Unicode("jupyter-{user_server}")
    pvc_name_template = Unicode("claim-{user_server}")
    slug_scheme = Enum(SCHEMES, default_value="safe")
    # namespaces
    enable_user_namespaces = Bool(False)
    namespace = Unicode()
    user_namespace_annotations = Dict()
    user_namespace_labels = Dict()
    user_namespace_template = Unicode("{hubnamespace}-{username}")
    # functions
    after_pod_created_hook = Callable(None, allow_none=True)
    modify_pod_hook = Callable(None, allow_none=True)


WORDS = frozenset(KubeSpawnerWords.class_traits())
UNSAID = {name: getattr(KubeSpawnerWords(), name) for name in WORDS}
"""The words as KubeSpawner has them if nobody says anything."""
