"""What CPython is and does: by build and version, read so that no program code runs."""
