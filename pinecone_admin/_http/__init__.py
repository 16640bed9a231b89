"""A call as data: request and response, errors, retries, pages, validation. Nothing here does I/O."""
