"""What tests of commands share."""

from tests.core.commands.a_hubs_directory import hub

__all__ = ["hub"]
