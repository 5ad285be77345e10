"""One file a system. Each has TITLE, ADDRESS (default), NEEDS, OPTIONS and, for tickets, `create`,
`read`, `change` and `received`; for messages, `say`."""
