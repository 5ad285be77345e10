"""`python -m secinbox`."""

from secinbox.cli import main

if __name__ == "__main__":  # processes that read reports import this module again
    main()
