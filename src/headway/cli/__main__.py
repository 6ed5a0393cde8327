"""Lets `python -m headway.cli` be the command."""

from headway.cli.app import main

main()
