"""The usual design, kept as a fair opponent: FastAPI, an ORM session, select-then-insert, a commit a request."""
