"""Ours beside a peer, in one run, as a ratio. Never part of a timed test."""
