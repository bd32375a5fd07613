"""From a file to rows that may be trained on: read, checked, cleaned, split."""
