"""Amazon EKS: finds a cluster by its name, logs in with the hub's AWS identity.

How AWS credentials are found and tokens are signed is in `mcks.auth.aws`.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any

from traitlets import Unicode

from mcks.auth.aws import RENEW_AGE, Login, call, caller_arn, eks_token, known_regions
from mcks.auth.aws_errors import Refused
from mcks.auth.credential import Credential
from mcks.backends.base import Backend, Endpoint
from mcks.backends.pem import decoded
from mcks.backends.steps import FIND, LOG_IN, naming, of_cluster
from mcks.errors import ConfigError, MCKSError, Unauthorized, Unreachable, unknown

_ARN = re.compile(r"arn:aws[\w-]*:eks:(?P<region>[\w-]+):\d+:cluster/(?P<name>.+)")
_SERVING = ("ACTIVE", "UPDATING")


class EKSBackend(Backend):
    """A cluster of Amazon Elastic Kubernetes Service."""

    cluster = Unicode(help="The cluster's name, or its ARN (which holds the region, too).").tag(
        config=True
    )

    region = Unicode(
        help="""
        The AWS region of the cluster.

        Unset, that of an ARN in ``cluster`` is used, else what AWS' own configuration says:
        ``AWS_REGION``, ``AWS_DEFAULT_REGION``, the profile.
        """,
    ).tag(config=True)

    role_arn = Unicode(
        help="""
        An IAM role to assume, for everything that is done with this cluster.

        Unset, the hub's own AWS identity is used. Needed for clusters of other accounts; the role
        must trust the hub's identity.
        """,
    ).tag(config=True)

    external_id = Unicode(
        help="The external id that ``role_arn`` demands, if it demands one. Needs ``role_arn``."
    ).tag(config=True)

    profile = Unicode(
        help="""
        A profile of AWS' shared configuration files.

        Unset, AWS' usual order of sources is used: environment, web identity, shared files, EKS
        Pod Identity, instance role. A profile hides the keys in the environment.
        """,
    ).tag(config=True)

    cluster_id = Unicode(
        help="""
        The id of a local cluster on an AWS Outpost.

        Unset (for all others) the cluster's name goes into the token.
        """,
    ).tag(config=True)

    max_age = RENEW_AGE

    def problems(self) -> list[str]:
        """Check that all is there that can be checked here."""
        found = []
        if not self.cluster:
            found.append("set cluster to the name or ARN of the EKS cluster")
        if self.external_id and not self.role_arn:
            found.append("external_id needs role_arn")
        region = self._arn_region()
        if region and self.region and region != self.region:
            found.append(f"region is {self.region!r}, but the ARN in cluster says {region!r}")
        if importlib.util.find_spec("botocore") is None:
            found.append("AWS needs botocore: pip install 'mcks[eks]'")
        return of_cluster(self.cluster_name, found)

    def doubts(self) -> list[str]:
        """Say if botocore knows no such region."""
        region = self.region or self._arn_region()
        known = known_regions()
        if not region or not known or region in known:
            return []
        return of_cluster(self.cluster_name, [unknown("region", region, known)])

    async def endpoint(self) -> Endpoint:
        """Ask EKS for the cluster (``eks:DescribeCluster``)."""
        description = await self._describe()
        status = description.get("status")
        if status not in _SERVING:
            raise ConfigError(f"{self._where()}: the cluster's status is {status}, not ACTIVE")
        data = (description.get("certificateAuthority") or {}).get("data")
        server = str(description.get("endpoint") or "").rstrip("/")
        if not data or not server:
            raise ConfigError(f"{self._where()}: EKS tells no endpoint or no CA for it")
        with naming(self._where()):
            return Endpoint(server, ca_data=decoded(data, "the CA that EKS tells"))

    async def mint(self) -> Credential:
        """Sign a token."""
        if not self.cluster and not self.cluster_id:
            raise ConfigError("; ".join(self.problems()))
        with naming(self._where(), LOG_IN):
            return await eks_token(self._login(), self.cluster_id or self._name())

    async def explain(self, error: MCKSError) -> str:
        """Name the IAM identity that was refused, or why the endpoint may be out of reach."""
        if isinstance(error, Unauthorized):
            return (
                f"EKS does not know {await caller_arn(self._login())}, or the cluster has another "
                "name: make an access entry for this IAM identity"
            )
        if not isinstance(error, Unreachable):
            return ""
        network = (await self._describe()).get("resourcesVpcConfig") or {}
        if not network.get("endpointPublicAccess", True):
            return (
                "The cluster's endpoint is private (endpointPublicAccess is false): the hub must "
                "be in its VPC or one connected to it"
            )
        cidrs = network.get("publicAccessCidrs") or []
        if cidrs and "0.0.0.0/0" not in cidrs:
            return f"The cluster's public endpoint admits only {', '.join(cidrs)}"
        return ""

    def identity(self) -> str:
        """Name the role or profile."""
        if self.role_arn:
            return f"the role {self.role_arn}"
        return f"the AWS profile {self.profile!r}" if self.profile else "the hub's AWS identity"

    def _where(self) -> str:
        region = self.region or self._arn_region()
        where = f" in {region}" if region else ""
        return f"cluster {self.cluster_name!r} (EKS {self._name()!r}{where})"

    def _name(self) -> str:
        arn = _ARN.fullmatch(self.cluster)
        return str(arn["name"] if arn else self.cluster)

    def _arn_region(self) -> str:
        arn = _ARN.fullmatch(self.cluster)
        return arn["region"] if arn else ""

    def _login(self) -> Login:
        return Login(
            region=self.region or self._arn_region(),
            profile=self.profile,
            role_arn=self.role_arn,
            external_id=self.external_id,
        )

    async def _describe(self) -> dict[str, Any]:
        if self.problems():
            raise ConfigError("; ".join(self.problems()))
        with naming(self._where(), FIND):
            try:
                answer = await call(self._login(), "eks", "describe_cluster", name=self._name())
            except Refused as exc:
                if exc.code != "ResourceNotFoundException":
                    raise
                raise ConfigError(
                    f"{exc}. There is no such cluster in this region and account: set cluster and "
                    "region, or role_arn if it is in another account"
                ) from exc
        description: dict[str, Any] = answer["cluster"]
        return description
