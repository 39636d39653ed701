"""The command line: options, commands, help, terminal."""
