"""What scripts/generate.sh and scripts/spec_diff.py are made of: pure functions over an API document."""
