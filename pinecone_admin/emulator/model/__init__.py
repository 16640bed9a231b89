"""What the emulated organization is: its records, settings and time."""
