"""Prints the OpenAPI document, which `make contract` commits: `python -m headway.http.document`."""

import sys

from headway.http.app import all_routes
from headway.http.docs import document_text

if __name__ == "__main__":
    sys.stdout.write(document_text(all_routes()))
