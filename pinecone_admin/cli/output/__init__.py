"""Write results as tables, JSON, YAML, CSV or raw values."""
