"""Each field of KubeSpawner's is, as an expression, what it is for any user and server."""

from __future__ import annotations

import pytest
from traitlets.config import Config

from mcks.core.checking.sample import sample_spawner
from mcks.core.clusters.pool import Pool
from mcks.core.conversion.names import fields_of, key_template, user_namespace
from mcks.core.kubespawner.fields import SCHEMES, expand_text
from mcks.core.kubespawner.words import UNSAID
from mcks.core.manifests.render import render_text
from mcks.core.servers import plan
from mcks.core.servers.server import Created
from mcks.core.writing.marks import Marks
from mcks.errors import ConfigError
from tests.core.conversion.converting import USERS
from tests.core.kubespawner.side_by_side import configuration

TEMPLATES = [
    *(f"<{{{name}}}>" for name in fields_of(Marks(), {})),
    *(f"x-{{{name}}}" for name in fields_of(Marks(), {})),
    "{username}{servername}",
    "{username}--{servername}",
    "{{username}}",
    "{username}-",
]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("servername", ["", "Große-"])
@pytest.mark.parametrize("username", USERS)
def test_any_text_means_the_same(username: str, servername: str, scheme: str) -> None:
    words = {"slug_scheme": scheme, "pvc_name_template": "c-{username}-{servername}"}
    config: Config = configuration(words)
    spawner = sample_spawner(config, username, servername=servername)
    for remembered in ("", "claim-of-old"):
        spawner.pvc_name = remembered
        configured = spawner.configured(Pool(config, spawner.log))
        created = Created("the-key", "the-namespace", "")
        server = plan._server(spawner, configured, spawner.translation())
        variables = plan._variables(spawner, configured, server, created)
        known = spawner.translation().fields()
        known |= {"pod_name": "the-key", "namespace": "the-namespace"}
        for template in TEMPLATES:
            marks = Marks()
            written = marks.text(expand_text(template, fields_of(marks, words)))
            assert render_text("t", written, variables) == expand_text(template, known), template


def test_a_claim_that_is_not_remembered_has_its_templates_name() -> None:
    marks = Marks()
    words = {"remember_pvc_name": False}
    assert marks.text(fields_of(marks, words)["pvc_name"]) == "{{'claim-' ~ safe_user_server}}"


def test_names_are_templates_as_one_would_write_them() -> None:
    assert key_template(Marks(), UNSAID) == "jupyter-{{safe_user_server}}"
    said = {"user_namespace_template": "jhub-{username}"}
    assert user_namespace(Marks(), said) == "jhub-{{safe_username}}"


def test_what_kubespawner_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match="slug_scheme 'x'"):
        fields_of(Marks(), {"slug_scheme": "x"})
    with pytest.raises(ConfigError, match=r"unknown field '\{nobody\}'"):
        key_template(Marks(), {"pod_name_template": "x-{nobody}"})
