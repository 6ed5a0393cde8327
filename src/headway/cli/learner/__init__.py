"""The learner's commands: they record by the SDK's outbox, work offline, and import nothing of the server."""
