"""Small pods and routes for the tests of the local clusters themselves."""

from __future__ import annotations

from typing import Any

import yaml

from tests.cluster import gateway, notebook
from tests.cluster.cluster import LocalCluster

PORT = 8080
_SERVER = f"""
import os, pathlib, signal, sys, tornado.ioloop, tornado.web, tornado.websocket
class Page(tornado.web.RequestHandler):
    def get(self, path):
        file = pathlib.Path.home() / "note"
        self.write({{"path": path, "uid": os.getuid(), "cluster": os.environ["CLUSTER"],
                    "note": file.read_text() if file.exists() else None}})
    def put(self, path):
        (pathlib.Path.home() / "note").write_bytes(self.request.body)
class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message("echo " + message)
tornado.web.Application([(".*/ws", Echo), ("(.*)", Page)]).listen({PORT})
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
tornado.ioloop.IOLoop.current().start()
"""
Object = dict[str, Any]


def python_pod(name: str, program: str, cluster: str) -> Object:
    """A pod that runs a program with the notebook's Python, as the notebook's user."""
    pod: Object = yaml.safe_load(notebook.patch().replace("{{key}}", name))
    pod["apiVersion"] = "v1"
    pod["metadata"]["labels"] = {"app": name}
    pod["spec"]["terminationGracePeriodSeconds"] = 1
    container = pod["spec"]["containers"][0]
    python = str(notebook.environment() / "bin" / "python")
    container["command"] = [python, "-u", "-c", program]
    container["env"].append({"name": "CLUSTER", "value": cluster})
    return pod


def server_pod(name: str, cluster: str, claim: str | None = None) -> Object:
    """A pod with a web server that echoes websockets; its note is kept in the claim."""
    pod = python_pod(name, _SERVER, cluster)
    container = pod["spec"]["containers"][0]
    container["readinessProbe"] = {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1}
    if claim:
        home: Object = {"name": "home", "persistentVolumeClaim": {"claimName": claim}}
        pod["spec"]["volumes"][0] = home
    return pod


def service(name: str) -> Object:
    """The Service before a server pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": PORT}]},
    }


def ingress(name: str, prefix: str) -> Object:
    """An Ingress that sends everything below the prefix to the Service, websockets too."""
    backend = {"service": {"name": name, "port": {"number": 80}}}
    path = {"path": prefix, "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "annotations": {"projectcontour.io/websocket-routes": prefix},
        },
        "spec": {"ingressClassName": gateway.CLASS, "rules": [{"http": {"paths": [path]}}]},
    }


def http_route(name: str, prefix: str) -> Object:
    """The same as an HTTPRoute of the Gateway API."""
    match = {"path": {"type": "PathPrefix", "value": prefix}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": gateway.CLASS, "namespace": gateway.NAMESPACE}],
            "rules": [{"matches": [match], "backendRefs": [{"name": name, "port": 80}]}],
        },
    }


def claim(name: str) -> Object:
    """A plain PersistentVolumeClaim, of the default class."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def serve(cluster: LocalCluster, namespace: str, name: str, route: Object) -> None:
    """Create a server pod, its Service and a route, and wait until the pod is Ready."""
    cluster.api.create(server_pod(name, cluster.name), namespace)
    cluster.api.create(service(name), namespace)
    cluster.api.create(route, namespace)
    cluster.api.wait_pod_ready(name, namespace)
