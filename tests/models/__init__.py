"""Random programs against models that are too simple to be wrong."""
