"""Which models there are, where their files come from, what they look like inside."""
