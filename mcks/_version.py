"""The version of mcks, and nothing else: the build reads it from this file."""

__version__ = "1.0.0.dev0"
