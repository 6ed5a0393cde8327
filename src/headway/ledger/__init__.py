"""The writing operations, one per file: everything that writes learners' figures, and what verifies them."""
