"""Redis, which may be there: what it holds can be lost at any moment, and nothing rests on it."""
