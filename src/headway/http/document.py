"""Prints the OpenAPI document, which `make contract` commits: `python -m headway.http.document`."""

import sys

from headway.http.app import create_app
from headway.http.docs import document_text
from headway.settings import Settings

if __name__ == "__main__":
    # An application that is never started opens no database.
    sys.stdout.write(document_text(create_app(Settings(database_url="sqlite:///none.db"))))
