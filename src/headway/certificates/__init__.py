"""What a certificate is given out as: a signed credential, a PDF. No database, no network, no clock."""
