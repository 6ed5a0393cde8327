"""Measurements side by side with a peer or a limit, never alone."""

import warnings

# The test server's package looks for it, and does without.
warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
