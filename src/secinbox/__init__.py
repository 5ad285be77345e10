"""secinbox: one ranked, explained list of what to fix next."""

__version__ = "0.1.0"
