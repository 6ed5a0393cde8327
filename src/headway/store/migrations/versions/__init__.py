"""The revisions, named after their number."""
