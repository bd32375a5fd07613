"""One readable file a recipe."""
