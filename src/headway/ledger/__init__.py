"""The verbs, one a file: all that writes learners' figures, and what proves them."""
