"""`python -m secinbox`."""

from secinbox.cli import main

main()
