"""What of a kubeconfig's user goes into headers: not blanks around it, nor what none can carry."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcks.backends.generic_kubeconfig import GenericKubeconfigBackend
from mcks.errors import AuthError

BackendFor = Callable[[dict[str, Any]], GenericKubeconfigBackend]


@pytest.fixture
def backend_for(tmp_path: Path) -> BackendFor:
    """Make the backend of a cluster whose kubeconfig has this user."""

    def make(user: dict[str, Any]) -> GenericKubeconfigBackend:
        content = {
            "current-context": "x",
            "clusters": [{"name": "c", "cluster": {"server": "https://api.example.test"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": user}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(content))
        return GenericKubeconfigBackend(cluster_name="a", kubeconfig=str(tmp_path / "config"))

    return make


async def test_a_line_end_after_a_token_is_not_part_of_it(backend_for: BackendFor) -> None:
    assert (await backend_for({"token": "tok\n"}).mint()).token == "tok"


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"token": "one\ntwo"}, r"users\[u\].token: the token holds a line break"),
        ({"token": "t", "as": "a\nX: y"}, "what Impersonate-User is made of holds a line break"),
        ({"token": "t", "as": "a", "as-groups": ["g\r"]}, "Impersonate-Group is made of"),
    ],
)
async def test_what_no_header_can_carry_is_told_offline(
    backend_for: BackendFor, user: dict[str, Any], message: str
) -> None:
    (problem,) = backend_for(user).problems()
    assert problem.startswith("cluster 'a': ")
    assert re.search(message, problem)


async def test_a_token_file_with_two_tokens_is_told_with_its_name(
    backend_for: BackendFor, tmp_path: Path
) -> None:
    (tmp_path / "tok").write_text("first\nsecond\n")
    with pytest.raises(AuthError, match=r"cluster 'a': the token file .*tok: the token holds"):
        await backend_for({"tokenFile": "tok"}).mint()
