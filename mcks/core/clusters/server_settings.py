"""Settings of what one cluster says of its servers' objects. Merging them does not belong here."""

from __future__ import annotations

from traitlets import Dict, HasTraits, Unicode


class ServerSettings(HasTraits):
    """Settings of ``Cluster``, for what differs between clusters; profiles stay the same."""

    labels = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        config=True,
        help="""
        Labels for every object in this cluster, for example to share out its costs.
        """,
    )
    patches = Dict(
        value_trait=Unicode(allow_none=True),
        key_trait=Unicode(),
        config=True,
        help="""
        Patches for servers in this cluster, as ``c.MultiClusterKubeSpawner.patches``, for what
        differs between clusters: node selectors, storage classes.

        They are merged over the hub's by key; those of groups, profiles and choices are merged over
        these. None removes one of the hub's.
        """,
    )
    objects = Dict(
        value_trait=Unicode(allow_none=True),
        key_trait=Unicode(),
        config=True,
        help="""
        Templates of objects, as ``c.MultiClusterKubeSpawner.objects``, merged like ``patches``.
        """,
    )
    environment = Dict(
        key_trait=Unicode(),
        config=True,
        help="""
        Variables of servers here, as ``c.Spawner.environment``, merged like ``patches``.
        """,
    )
