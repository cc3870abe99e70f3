"""Run by Alembic: the steps are made on the connection that `upgrade` hands in, in its one transaction."""

from alembic import context

from cds_service.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
