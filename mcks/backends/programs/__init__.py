"""The log-in programs of clouds that kubeconfig files name: one module for each cloud.

A module tells in `KNOWN` which commands it reads, and nobody else names it:
`mcks.backends.stanzas` finds it here.
"""
