"""How an object refers to another, and what can be said of it."""
