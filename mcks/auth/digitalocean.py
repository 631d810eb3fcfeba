"""The DigitalOcean API token of the hub: from a file, or from the environment.

What is asked with it belongs to `mcks.backends.doks`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mcks.auth.credential import Credential
from mcks.auth.service_account import read_token
from mcks.errors import AuthError

VARIABLES = ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN")


async def api_token(token_file: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """Give the token in *token_file*, else that of the environment.

    The file is read each time: DigitalOcean has no workload identity, so the token is long-lived
    and gets replaced by hand. Raises `AuthError`.
    """
    if token_file:
        return (await read_token(_path(token_file))).token or ""
    for name in VARIABLES:
        if environ.get(name):
            return _usable(name, environ[name])
    raise AuthError(
        "DigitalOcean: there is no API token: set token_file, or one of " + ", ".join(VARIABLES)
    )


def _usable(variable: str, token: str) -> str:
    try:
        return Credential(token=token).token or ""
    except AuthError as exc:
        raise AuthError(f"DigitalOcean: {variable}: {exc}") from None


def _path(file: str) -> Path:
    return Path(file).expanduser()
