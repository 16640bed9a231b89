"""What teams write by hand around an admin client, once and safely, on its public methods."""
