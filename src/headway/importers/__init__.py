"""Importers, one foreign format per file, whose events are recorded like any others."""
