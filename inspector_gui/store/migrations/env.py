"""Run by Alembic: migrates over the connection it was given, in that connection's transaction."""

from alembic import context

from inspector_gui.store.schema import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
