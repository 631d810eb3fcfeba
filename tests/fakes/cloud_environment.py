"""Takes everything out of a test's environment that leads a cloud's SDK to this machine's own."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp
import pytest

_PREFIXES = (
    *("AWS_", "GOOGLE_", "GCE_", "CLOUDSDK_", "AZURE_", "AAD_", "ARM_", "DIGITALOCEAN_"),
    "IDENTITY_",
)
_NAMES = (
    *("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "MSI_ENDPOINT"),
    *("DEFAULT_ROLE", "KUBERNETES_AWS_AUTHENTICATOR_CLUSTER_ID"),
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def clean_environment(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No credentials, no proxies, no cloud; a new home folder; a resolver the guard can see."""
    for name in list(os.environ):
        known = name in _NAMES or name.lower() in _PROXIES
        if known or name.startswith(_PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("aiohttp.connector.DefaultResolver", aiohttp.ThreadedResolver)
