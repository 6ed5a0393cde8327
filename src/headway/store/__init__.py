"""SQL and nothing else: connections, schema, migrations, and one file of statements a subject."""
