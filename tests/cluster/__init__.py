"""Two real Kubernetes clusters on one machine, for tests and for the demonstration.

By hand: ``python -m tests.cluster --help``. In tests: the fixtures of fixtures.py. In programs::

    with local_set.in_use() as clusters:   # up, and down again if nobody else uses them
        clusters.kubeconfig                # the hub's, with the contexts local-a and local-b
        clusters["a"].gateway_url          # where routes are served, on loopback
        clusters["a"].bridge_ip            # where pods reach this machine

It is a tool of the tests and of no use to an installed mcks.
"""
