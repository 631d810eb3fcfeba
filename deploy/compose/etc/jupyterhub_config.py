c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.cleanup_servers = False
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = "choose a long one"
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "mcks"
c.Spawner.hub_connect_url = "https://hub.example.org"
c.Cluster.isolate = True
c.MultiClusterKubeSpawner.clusters = {
    "west": {
        "kubeconfig": "/etc/jupyterhub/kubeconfig",
        "context": "west",
        "namespace": "jupyterhub",
        "ingress_public_url": "https://west.example.org",
    },
}
