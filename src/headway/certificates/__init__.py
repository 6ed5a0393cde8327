"""The forms in which a certificate is issued: a signed credential, a PDF. No database, no network, no clock."""
