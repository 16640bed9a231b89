"""Changes that are planned, read by somebody and then made: offboarding, and deletion of stale projects."""
