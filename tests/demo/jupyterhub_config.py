"""A hub with two clusters. What is the machine's (addresses, paths) comes from $MCKS_DEMO."""

import json
import os
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821
demo = json.loads(Path(os.environ["MCKS_DEMO"]).read_text())

# The hub: anybody may log in with any password. For a demonstration on loopback only.
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.bind_url = demo["public_url"]
c.JupyterHub.hub_bind_url = demo["hub_url"]
c.JupyterHub.db_url = "sqlite:///" + str(Path(demo["directory"]) / "jupyterhub.sqlite")
c.JupyterHub.cookie_secret_file = str(Path(demo["directory"]) / "cookie_secret")
c.JupyterHub.allow_named_servers = True
c.ConfigurableHTTPProxy.command = demo["proxy_command"]
c.ConfigurableHTTPProxy.api_url = demo["proxy_api_url"]
c.ConfigurableHTTPProxy.pid_file = str(Path(demo["directory"]) / "proxy.pid")

# The clusters: contexts of $KUBECONFIG.
c.JupyterHub.spawner_class = "mcks"
c.MultiClusterKubeSpawner.clusters = {
    cluster["name"]: {
        "context": cluster["context"],
        "namespace": demo["namespace"],
        "ingress_public_url": cluster["gateway_url"],
        "hub_connect_url": cluster["hub_connect_url"],
        "environment": {"CLUSTER_NAME": cluster["name"]},
    }
    for cluster in demo["clusters"]
}
c.MultiClusterKubeSpawner.profile_list = [
    {
        "display_name": f"Cluster {cluster['name']}",
        "slug": cluster["name"],
        "description": f"JupyterLab near the data of cluster {cluster['name']}",
        "cluster": cluster["name"],
    }
    for cluster in demo["clusters"]
]

# The servers: JupyterLab, and a home that outlives the server.
c.MultiClusterKubeSpawner.cmd = demo["command"]
c.MultiClusterKubeSpawner.mem_limit = "1G"
c.MultiClusterKubeSpawner.objects.update(
    {
        "05-home": """
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata:
              name: {{key}}
              annotations:
                mcks.hub.jupyter.org/lifetime: user
            spec:
              accessModes: [ReadWriteOnce]
              resources: {requests: {storage: 1Gi}}
        """,
    }
)
c.MultiClusterKubeSpawner.patches = {
    "10-notebook": demo["notebook_patch"],
    "20-home": """
        kind: Pod
        metadata:
          name: {{key}}
        spec:
          containers:
          - name: notebook
            volumeMounts:
            - {name: home, mountPath: /home/jovyan}
          volumes:
          - name: home
            emptyDir: null
            persistentVolumeClaim: {claimName: "{{key}}"}
    """,
}
