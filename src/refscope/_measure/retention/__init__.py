"""Why an object is alive: from it back to the roots; and how it died."""
