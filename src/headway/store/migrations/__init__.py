"""The schema's history, one file a step; `run` brings a database to the newest."""
