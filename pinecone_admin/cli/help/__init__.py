"""Help pages, topics, explanations of error codes, and completion."""
