"""The files that travel with an exported config and run elsewhere: Python 3.9 or newer, nothing of ours imported."""
