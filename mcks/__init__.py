"""mcks: one JupyterHub, many Kubernetes clusters."""
