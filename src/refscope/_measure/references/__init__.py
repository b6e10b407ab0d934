"""References to one object: how many there are, and whose."""
