"""A call of a method or of any other request: its arguments, the question before it, and its record."""
