"""Reference cycles: found as the collector finds them, explained, and where to cut."""
