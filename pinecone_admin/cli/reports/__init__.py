"""Who has access, and what an organization contains."""
