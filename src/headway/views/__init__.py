"""The questions: read-only, each answered in the shape that the API gives."""
