"""What the pages of the reference consist of."""
