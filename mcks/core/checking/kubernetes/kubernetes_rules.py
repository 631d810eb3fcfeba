"""What Kubernetes wants of a value beyond its type, which its OpenAPI schemas do not say. Pure.

Each rule takes a value of the right type and yields what is wrong with it. The rules are those of
the API server's own validation, named at each, which would answer with 422 at a start.
Fields and types (schemas.py) do not belong here.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from mcks.core.manifests.quantities import amount

NAME, QUANTITY, IMAGE, WORD = "MCKS204", "MCKS205", "MCKS206", "MCKS207"
SIZE, TOGETHER = "MCKS208", "MCKS209"
"""The codes of what is found here."""


class Wrong(NamedTuple):
    """What is wrong, by its *code*, and where below the value."""

    code: str
    what: str
    path: tuple[str | int, ...] = ()


Rule = Callable[[Any], Iterator[Wrong]]

SECRET_BYTES = 1024 * 1024
"""Bytes that a Secret or ConfigMap may hold (core/v1: MaxSecretSize)."""
ANNOTATION_BYTES = 256 * 1024
"""Bytes of all annotations of an object (apimachinery: TotalAnnotationSizeLimitB)."""

_LONGEST = 63
_LONGEST_SUBDOMAIN = 253
_AT_MOST = "at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends"
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_ALMOST_QUANTITY = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<suffix>[a-zA-Z]+)")

_WORD = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_WORD}(?:\.{_WORD})*|\[[a-fA-F0-9:]+\])(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{{32,}})?"
)
"""distribution/reference: ReferenceRegexp."""


def _text(pattern: re.Pattern[str], longest: int, wanted: str) -> Rule:
    def rule(value: str) -> Iterator[Wrong]:
        if pattern.fullmatch(value) is None:
            yield Wrong(NAME, f"{value!r} is no valid name here: {wanted}")
        elif len(value) > longest:
            yield Wrong(
                NAME, f"{value!r} has {len(value)} characters, at most {longest} are allowed"
            )

    return rule


dns_label = _text(_LABEL, _LONGEST, "write lower-case letters, digits and '-'")
dns_label_1035 = _text(
    _LABEL_1035, _LONGEST, "write lower-case letters, digits and '-', a letter first"
)
dns_subdomain = _text(
    _SUBDOMAIN, _LONGEST_SUBDOMAIN, "write lower-case letters, digits, '-' and '.'"
)
port_name = _text(_PORT_NAME, 15, "write lower-case letters, digits and '-', at least one letter")
env_name = _text(_ENV_NAME, 1024 * 1024, "write printable ASCII characters without '='")


def path_segment(value: str) -> Iterator[Wrong]:
    """RBAC's names: apimachinery's IsValidPathSegmentName."""
    if value in (".", "..") or "/" in value or "%" in value:
        yield Wrong(NAME, f"{value!r} is no valid name here: leave out '/' and '%'")


def one_of(*known: str) -> Rule:
    """Return the rule of a field that has only the values *known*."""

    def rule(value: str) -> Iterator[Wrong]:
        if value not in known:
            close = get_close_matches(value.lower(), [word.lower() for word in known], n=1)
            near = [word for word in known if close and word.lower() == close[0]]
            hint = f"did you mean {near[0]!r}?" if near else f"write {_either(known)}"
            yield Wrong(WORD, f"{value!r} is not known here: {hint}")

    return rule


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def port(value: int) -> Iterator[Wrong]:
    """A port: apimachinery's IsValidPortNum."""
    if not 1 <= value <= 65535:
        yield Wrong(WORD, f"{value} is no port: write 1 to 65535")


def quantity(value: Any) -> Iterator[Wrong]:
    """A Quantity: apimachinery's resource.ParseQuantity."""
    if amount(value) is not None:
        return
    yield Wrong(QUANTITY, f"{value!r} is no quantity: {_meant(str(value).strip())}")


def _meant(text: str) -> str:
    almost = _ALMOST_QUANTITY.fullmatch(text)
    suffix = almost["suffix"].upper() if almost else ""
    if almost and suffix in ("B", "BYTE", "BYTES"):
        return f"write bytes without a unit, {almost['number']}"
    if almost and suffix[0] in "KMGTPE":
        number, unit = almost["number"], suffix[0]
        decimal = unit.lower() if unit == "K" else unit
        return f"write {number}{unit}i (powers of 1024) or {number}{decimal} (of 1000)"
    return "write a number, such as 2, 500m, 1.5G or 2Gi"


def image(value: str) -> Iterator[Wrong]:
    """An image reference, as containerd reads it."""
    if not value or _IMAGE.fullmatch(value):
        return
    hint = "write [HOST[:PORT]/]NAME[:TAG][@DIGEST]"
    if "://" in value:
        hint = f"leave out {value.partition('://')[0]}://"
    elif value != value.strip() or " " in value:
        hint = "leave out the blanks"
    elif _IMAGE.fullmatch(value.lower()):
        hint = "write the name in lower case"
    elif value.endswith(":"):
        hint = "write a tag after ':', or leave it out"
    yield Wrong(IMAGE, f"{value!r} is no image reference: {hint}")


def label_map(value: Mapping[str, Any]) -> Iterator[Wrong]:
    """Keys and values of labels: apimachinery's IsQualifiedName and IsValidLabelValue."""
    yield from _keys(value)
    for key, text in _texts(value):
        if len(text) > _LONGEST or (text and _QUALIFIED.fullmatch(text) is None):
            what = f"{text!r} is no label value: {_AT_MOST}. An annotation takes any text"
            yield Wrong(NAME, what, (key,))


def annotation_map(value: Mapping[str, Any]) -> Iterator[Wrong]:
    """Keys and size of annotations: apimachinery's ValidateAnnotations."""
    yield from _keys(value)
    size = sum(len(key) + len(text.encode()) for key, text in _texts(value))
    if size > ANNOTATION_BYTES:
        yield Wrong(
            SIZE, f"all annotations have {size} bytes, an object may have {ANNOTATION_BYTES}"
        )


def _keys(value: Mapping[str, Any]) -> Iterator[Wrong]:
    for key in value:
        prefix, slash, name = key.rpartition("/")
        good = len(name) <= _LONGEST and _QUALIFIED.fullmatch(name)
        if slash:
            good = good and len(prefix) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(prefix)
        if not good:
            what = f"{key!r} is no valid key: write NAME or DOMAIN/NAME; NAME has {_AT_MOST}"
            yield Wrong(NAME, what, (key,))


def _texts(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((key, text) for key, text in value.items() if isinstance(text, str))


def map_size(value: Mapping[str, Any]) -> Iterator[Wrong]:
    """A Secret or ConfigMap: core's MaxSecretSize."""
    texts = [*(value.get("stringData") or {}).values()]
    encoded = [*(value.get("binaryData") or {}).values()]
    (encoded if value.get("kind") == "Secret" else texts).extend((value.get("data") or {}).values())
    size = sum(len(str(text or "").encode()) for text in texts) + sum(map(_decoded, encoded))
    if size > SECRET_BYTES:
        yield Wrong(
            SIZE, f"all its values have {size} bytes, it may hold {SECRET_BYTES}: use a volume"
        )


def _decoded(value: Any) -> int:
    try:
        return len(base64.b64decode(str(value or "")))
    except ValueError:
        return 0


def base64_texts(value: Mapping[str, Any]) -> Iterator[Wrong]:
    """Data of a Secret, binary data of a ConfigMap."""
    for key, text in _texts(value):
        try:
            base64.b64decode(text, validate=True)
        except ValueError:
            yield Wrong(WORD, "is not base64: write a text as it is under stringData", (key,))


def pod_spec(spec: Mapping[str, Any]) -> Iterator[Wrong]:
    """What belongs together in a Pod: core's ValidatePodSpec."""
    volumes = [v.get("name") for v in _maps(spec.get("volumes"))]
    yield from _twice(volumes, ("volumes",), "volume")
    names: list[Any] = []
    for kind in ("initContainers", "containers"):
        for number, container in enumerate(_maps(spec.get(kind))):
            if container.get("name") in names:
                what = f"two containers are called {container.get('name')!r}"
                yield Wrong(TOGETHER, what, (kind, number, "name"))
            names.append(container.get("name"))
            for wrong in _container(container, volumes):
                yield wrong._replace(path=(kind, number, *wrong.path))
    if not spec.get("containers"):
        yield Wrong(TOGETHER, "a Pod needs at least one container", ("containers",))


def _container(container: Mapping[str, Any], volumes: list[Any]) -> Iterator[Wrong]:
    paths: list[Any] = []
    for number, mount in enumerate(_maps(container.get("volumeMounts"))):
        if (name := mount.get("name")) is not None and name not in volumes:
            near = get_close_matches(str(name), [str(v) for v in volumes], n=1)
            hint = f"did you mean {near[0]!r}?" if near else "add it under spec.volumes"
            what = f"there is no volume {name!r}: {hint}"
            yield Wrong(TOGETHER, what, ("volumeMounts", number, "name"))
        if (path := mount.get("mountPath")) in paths:
            what = f"{path!r} is mounted twice"
            yield Wrong(TOGETHER, what, ("volumeMounts", number, "mountPath"))
        paths.append(path)
    ports = [p.get("name") for p in _maps(container.get("ports")) if p.get("name")]
    yield from _twice(ports, ("ports",), "port")
    yield from _resources(_map(container.get("resources")))


def _resources(resources: Mapping[str, Any]) -> Iterator[Wrong]:
    limits, requests = _map(resources.get("limits")), _map(resources.get("requests"))
    for name, wanted in requests.items():
        least, most = amount(wanted), amount(limits[name]) if name in limits else None
        if least is not None and most is not None and least > most:
            what = f"the request {wanted} is more than the limit {limits[name]}"
            yield Wrong(TOGETHER, what, ("resources", "requests", name))


def _twice(names: list[Any], path: tuple[str, ...], what: str) -> Iterator[Wrong]:
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        yield Wrong(TOGETHER, f"two {what}s are called {name!r}", path)


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [_map(item) for item in value] if isinstance(value, list) else []


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_CORE = "io.k8s.api.core.v1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PROTOCOLS = one_of("TCP", "UDP", "SCTP")
_ACCESS_MODES = one_of("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")

OF_DEFINITIONS: dict[str, Rule] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": quantity,
    f"{_CORE}PodSpec": pod_spec,
    f"{_CORE}Secret": map_size,
    f"{_CORE}ConfigMap": map_size,
}
"""Rules of whole definitions."""

OF_FIELDS: dict[str, dict[str, Rule]] = {
    f"{_META}ObjectMeta": {"labels": label_map, "annotations": annotation_map},
    f"{_META}LabelSelector": {"matchLabels": label_map},
    f"{_CORE}Container": {
        "name": dns_label,
        "image": image,
        "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
        "terminationMessagePolicy": one_of("File", "FallbackToLogsOnError"),
    },
    f"{_CORE}ContainerPort": {
        "containerPort": port,
        "name": port_name,
        "protocol": _PROTOCOLS,
    },
    f"{_CORE}ConfigMap": {"binaryData": base64_texts},
    f"{_CORE}EnvVar": {"name": env_name},
    f"{_CORE}NodeSelectorRequirement": {
        "operator": one_of("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
    },
    f"{_CORE}PersistentVolumeClaimSpec": {
        "accessModes": _ACCESS_MODES,
        "volumeMode": one_of("Filesystem", "Block"),
    },
    f"{_CORE}PodSpec": {
        "dnsPolicy": one_of("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "nodeSelector": label_map,
        "restartPolicy": one_of("Always", "OnFailure", "Never"),
    },
    f"{_CORE}Secret": {"data": base64_texts},
    f"{_CORE}SeccompProfile": {"type": one_of("RuntimeDefault", "Unconfined", "Localhost")},
    f"{_CORE}ServicePort": {"name": dns_label, "port": port, "protocol": _PROTOCOLS},
    f"{_CORE}ServiceSpec": {
        "type": one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
        "sessionAffinity": one_of("None", "ClientIP"),
    },
    f"{_CORE}Toleration": {
        "effect": one_of("", "NoSchedule", "PreferNoSchedule", "NoExecute"),
        "operator": one_of("", "Exists", "Equal", "Gt", "Lt"),
    },
    f"{_CORE}Volume": {"name": dns_label},
    f"{_CORE}VolumeMount": {"mountPropagation": one_of("None", "HostToContainer", "Bidirectional")},
    "io.k8s.api.networking.v1.HTTPIngressPath": {
        "pathType": one_of("Exact", "Prefix", "ImplementationSpecific")
    },
}
"""Rules of fields; of a list's field, for each element that is a text."""

_NAMES: dict[str, Rule] = {
    "Namespace": dns_label,
    "Service": dns_label_1035,
    **dict.fromkeys(["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"], path_segment),
}


def name_of(kind: str) -> Rule:
    """Return the rule of ``metadata.name`` of a built-in *kind*."""
    return _NAMES.get(kind, dns_subdomain)
