"""What find_leaks says of whole programs, each table of them in a small process."""
