"""Tickets and notifications: what rules and people ask to be said to other systems.

`connections` reads where to; `planning` compares what is with what was said; `sending` says it from
the outbox; `following` brings back what changed there. One file of `systems/` is one system.
"""
