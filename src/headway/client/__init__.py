"""The Python SDK: HTTP and the durable outbox. Imports nothing of the server."""
