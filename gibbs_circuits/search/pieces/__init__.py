"""Programs fitted on smaller pieces of a model."""
