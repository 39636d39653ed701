"""The library of models, one file per family."""
