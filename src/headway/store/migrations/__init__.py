"""The schema's history, one file per revision; `migrate` brings a database to the newest."""
