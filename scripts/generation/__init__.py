"""The parts of scripts/generate.sh and scripts/spec_diff.py: functions over API documents."""
