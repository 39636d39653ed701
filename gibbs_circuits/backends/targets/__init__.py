"""Where a program may run, as files: one file per kind of target."""
