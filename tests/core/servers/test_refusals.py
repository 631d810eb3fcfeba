"""Quotas, policies and full ranges among what an API server refuses."""

from __future__ import annotations

import pytest

from mcks.core.servers.refusals import explained
from mcks.errors import Forbidden, Invalid, ServerError

POD = "cluster 'a': cannot create Pod jupyter-ada in namespace hub: "
FORBIDDEN = POD + 'pods "jupyter-ada" is forbidden: '
WEBHOOK = POD + 'admission webhook "{}" denied the request: {}'
QUOTA = [
    FORBIDDEN + "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1",
    FORBIDDEN + "failed quota: small: must specify limits.memory for: notebook",
]
POLICY = [
    WEBHOOK.format("validate.example.org", "no image of that registry"),
    WEBHOOK.format(
        "warden-validating.common-webhooks.networking.gke.io",
        "GKE Warden rejected the request because it violates one or more constraints.\nViolations:",
    ),
    FORBIDDEN + 'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
    '(container "notebook" must set securityContext.allowPrivilegeEscalation=false)',
    FORBIDDEN + "ValidatingAdmissionPolicy 'images' with binding 'all' denied request: failed "
    "expression: object.spec.containers.all(c, c.image.startsWith('r.example.org/'))",
    FORBIDDEN + "unable to validate against any security context constraint: [...]",
    FORBIDDEN + "maximum memory usage per Container is 1Gi, but limit is 2Gi",
]
OTHER = [
    POD + 'pods is forbidden: User "hub" cannot create resource "pods" in API group "" in the '
    'namespace "hub". `mcks rbac` prints the Role that the hub needs there',
    FORBIDDEN + 'error looking up service account hub/x: serviceaccount "x" not found',
]


@pytest.mark.parametrize("said", QUOTA)
def test_a_quota_has_a_reason_and_a_sentence_of_its_own_and_the_log_names_it(said: str) -> None:
    failed = explained(Forbidden(said, status=403, reason="Forbidden"))
    assert failed is not None
    assert failed.reason == "quota"
    assert "quota" in failed.jupyterhub_message
    assert "quota: small" in failed.details
    assert "small" not in failed.jupyterhub_message.replace("smaller", "")


def test_a_full_range_of_addresses_sends_the_start_elsewhere() -> None:
    said = "Internal error occurred: failed to allocate a serviceIP: range is full"
    failed = explained(ServerError(f"cluster 'a': cannot create Service jupyter-ada: {said}"))
    assert failed is not None
    assert failed.elsewhere
    assert failed.reason == "no-place"
    assert "no address left" in failed.jupyterhub_message
    assert said in failed.details


@pytest.mark.parametrize("kind", [Forbidden, Invalid])
@pytest.mark.parametrize("said", POLICY)
def test_a_policy_has_a_reason_and_a_sentence_of_its_own(
    said: str, kind: type[Forbidden | Invalid]
) -> None:
    failed = explained(kind(said))
    assert failed is not None
    assert failed.reason == "policy"
    assert failed.jupyterhub_message.startswith("A rule of this cluster does not allow")
    assert failed.details == said


@pytest.mark.parametrize("said", OTHER)
def test_what_is_neither_stays_what_it_is(said: str) -> None:
    assert explained(Forbidden(said)) is None
    assert explained(ServerError(POD + "Internal error occurred")) is None
