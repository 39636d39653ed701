"""Text, tables, files and JSON; no physics."""
