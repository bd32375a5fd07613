"""Tokens become reasons: what a model attended to, what each layer knew, and what an answer changes with."""
