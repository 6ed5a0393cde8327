"""The HTTP API: a file for each resource; `app.py`, `problems.py` and `who.py` serve all of them."""
