"""Redis, which is optional: its content may be lost at any moment, and nothing depends on it."""
