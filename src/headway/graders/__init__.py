"""Graders, which judge answers: one per file, and those that plugins register."""
