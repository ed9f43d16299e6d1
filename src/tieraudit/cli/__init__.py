"""The command line: one short file a command; the only typer."""
