"""The demo: a real course, and simulated learners whose events go through the ledger as everybody's do."""
