"""One measured block: its two ends, and what becomes of the findings."""
