"""Every code that a check may give: what it means, why it comes, what to do. Only a table.

A code keeps its meaning for ever: programs and people's notes name it. They are MCKS0xx for the
file and the hub's own settings, MCKS1xx for clusters, profiles and the objects of servers, MCKS2xx
for what Kubernetes' schemas say, MCKS3xx for what clusters say. docs/reference/check-codes.md is
made of this table.
"""

from __future__ import annotations

from mcks.core.checking.codes.code import Code, Severity
from mcks.core.checking.codes.of_clusters import OF_CLUSTERS
from mcks.core.checking.codes.of_hubs import OF_HUBS
from mcks.core.checking.codes.of_schemas import OF_SCHEMAS
from mcks.core.checking.codes.of_servers import OF_SERVERS

__all__ = ["CODES", "Code", "Severity"]

CODES: dict[str, Code] = OF_HUBS | OF_SERVERS | OF_SCHEMAS | OF_CLUSTERS
