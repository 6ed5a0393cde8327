"""The HTTP API: one resource a file, over the app, the problems and who is asking."""
