"""Reports on the access to an organization, and on its contents."""
