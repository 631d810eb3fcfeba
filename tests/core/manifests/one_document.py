"""A text that is one YAML document, read as templates are."""

from __future__ import annotations

from typing import Any

from mcks.core.manifests.kubectl_yaml import ScalarHook, load_all


def load(text: str, *, scalar: ScalarHook | None = None) -> Any:
    """Read the one document of *text*."""
    (document,) = load_all(text, scalar=scalar)
    return document
