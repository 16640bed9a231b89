"""Arguments and environment become one checked configuration, and a source of tokens."""
