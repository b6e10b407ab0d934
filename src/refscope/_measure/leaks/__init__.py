"""What grows with every call, and who holds it."""
