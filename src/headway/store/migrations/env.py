"""Alembic's entry: runs on the connection, and in the transaction, that `migrate` hands over."""

from alembic import context

from headway.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    transaction_per_migration=False,
)
context.run_migrations()
