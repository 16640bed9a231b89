"""Who the command line acts as: where that is said, and the client that acts."""
