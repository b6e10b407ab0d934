"""What open blocks share: tracemalloc, the collector, the lock, who was born."""
