"""Control of the emulator: routes below `/_emulator`, faults, the request log, and the state as JSON."""
