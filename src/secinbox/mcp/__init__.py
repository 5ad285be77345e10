"""The verbs of secinbox as tools for assistants (Model Context Protocol)."""
