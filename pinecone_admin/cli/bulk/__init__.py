"""Run one command for each row of a file."""
