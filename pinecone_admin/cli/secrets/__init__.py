"""Store, show and rescue the secrets that commands make."""
