"""The limit: the HTTP stack that Headway stands on, storing nothing."""
