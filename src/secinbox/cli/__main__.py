"""`python -m secinbox.cli`."""

from secinbox.cli import main

main()
