"""A model and a machine become seconds, bytes and dollars: each figure with its range and where it came from."""
