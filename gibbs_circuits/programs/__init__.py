"""The intermediate representation, its steps and its text."""
