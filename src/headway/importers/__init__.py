"""One foreign format a file, each read into events that are recorded like any other."""
