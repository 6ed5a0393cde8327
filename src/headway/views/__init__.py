"""The reading operations: each returns its answer in the shape that the API gives."""
