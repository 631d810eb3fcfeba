"""A kubeconfig file with the contexts that a test wants; nobody connects to them."""

from __future__ import annotations

import json
from pathlib import Path


def write(path: Path, *contexts: str) -> Path:
    """Write a kubeconfig with *contexts* that all have a token; return *path*."""
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "t0ken"}}],
                "contexts": [
                    {"name": name, "context": {"cluster": "c", "user": "u", "namespace": "jhub"}}
                    for name in contexts
                ],
            }
        )
    )
    return path
