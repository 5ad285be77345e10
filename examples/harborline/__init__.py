"""The sample environment: described once in `description`, everything else is made from it."""
