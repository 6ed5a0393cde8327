"""Headway keeps learner progress: events in, progress out, nothing lost."""

__version__ = "0.1.0"
