"""A dataset becomes a model: recipes, jobs, launchers."""
