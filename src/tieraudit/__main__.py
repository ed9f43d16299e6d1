"""`python -m tieraudit` is the command `tieraudit`."""

from tieraudit.cli.main import main

if __name__ == "__main__":
    main()
