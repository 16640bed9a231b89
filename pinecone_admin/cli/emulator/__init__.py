"""Start the emulator, in this process or in the background."""
