"""The rules: events, scores, sums, courses. The standard library only; no clock and no I/O."""
