"""SQL and nothing else: connections, schema, migrations, and one file of statements per subject."""
