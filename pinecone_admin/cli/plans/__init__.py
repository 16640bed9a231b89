"""Changes that are planned, read by somebody and then made: those of a file, offboarding, and stale projects."""
