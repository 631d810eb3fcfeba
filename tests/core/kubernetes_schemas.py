"""Kubernetes' own schemas, as kubernetes-validate has them. What mcks makes of them is not here."""

from __future__ import annotations

from functools import cache
from unittest import mock

import kubernetes_validate
from kubernetes_validate import utils

from mcks.core.objects import Manifest

VERSION = "1.34"
_read_once = cache(utils.schema_contents)


def validate(manifest: Manifest) -> None:
    """Raise for what Kubernetes would not take. Each schema is read once, not for each object."""
    with mock.patch.object(utils, "schema_contents", _read_once):
        kubernetes_validate.validate(manifest, VERSION, strict=True)
