"""Makes the few tiny images of the local clusters as archives; there is no registry.

The notebook's image is nothing but directories and links into /usr: its pods mount this
machine's /usr, Python and virtual environment (notebook.py tells how).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cache, debian

PAUSE = "localhost/mcks-pause:1"
BUSYBOX = "localhost/mcks-busybox:1"
NOTEBOOK = "localhost/mcks-notebook:1"
USER_ID = 1000
HOME = "/home/jovyan"
"""Names with a registry's host ``localhost``, or containerd would look for them in the internet."""

_APPLETS = (
    "sh", "cat", "echo", "env", "false", "httpd", "id", "ls", "mkdir", "nc", "sleep", "touch",
    "true", "wget",
)  # fmt: skip
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:1000::/home/jovyan:/bin/bash\n",
    "etc/group": "root:x:0:\njovyan:x:1000:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_RECIPE = "4"  # raise it when the code below makes other images from the same inputs


@dataclass(frozen=True)
class Image:
    """An image to be: what its layer holds, and what it runs."""

    name: str
    command: Sequence[str]
    links: Mapping[str, str]
    busybox: bool


def _images() -> list[Image]:
    applets = {f"bin/{name}": "busybox" for name in _APPLETS}
    usr = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64")}
    return [
        Image(PAUSE, ["/bin/busybox", "sleep", "2147483647"], {}, busybox=True),
        Image(BUSYBOX, ["/bin/sh"], applets, busybox=True),
        Image(NOTEBOOK, ["/bin/sh"], usr, busybox=False),
    ]


def archives() -> list[Path]:
    """The images as files for `ctr images import`, in the cache."""
    busybox = Path(debian.program("busybox") or "/bin/busybox")

    def make(directory: Path) -> None:
        for number, image in enumerate(_images()):
            content = busybox.read_bytes() if image.busybox else None
            (directory / f"{number}.tar").write_bytes(archive(image, content))

    directory = cache.entry("images", cache.key(busybox, repr(_images()), _RECIPE), make)
    return sorted(directory.glob("*.tar"))


def archive(image: Image, busybox: bytes | None) -> bytes:
    """A docker-save archive: one layer, a configuration and a manifest. Bytes are reproducible."""
    layer = _layer(image, busybox)
    digest = hashlib.sha256(layer).hexdigest()
    configuration = json.dumps(
        {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                "Cmd": list(image.command),
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    name = hashlib.sha256(configuration).hexdigest()
    manifest = [
        {"Config": f"{name}.json", "RepoTags": [image.name], "Layers": [f"{digest}/layer.tar"]}
    ]
    return _tar(
        {
            f"{name}.json": configuration,
            f"{digest}/layer.tar": layer,
            "manifest.json": json.dumps(manifest).encode(),
        }
    )


def _layer(image: Image, busybox: bytes | None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in ("dev", "etc", "home", "proc", "root", "sys", "usr", "var"):
            _directory(tar, name, 0o755)
        _directory(tar, "tmp", 0o1777)
        _directory(tar, HOME.lstrip("/"), 0o755, owner=USER_ID)
        for name, text in _FILES.items():
            _file(tar, name, text.encode(), 0o644)
        if busybox is not None:
            _directory(tar, "bin", 0o755)
            _file(tar, "bin/busybox", busybox, 0o755)
        for name, target in image.links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return buffer.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            _file(tar, name, data, 0o644)
    return buffer.getvalue()


def _directory(tar: tarfile.TarFile, name: str, mode: int, *, owner: int = 0) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
    tar.addfile(entry)


def _file(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
