"""Tests of the reports, of what is made of them, and of what shows and keeps them."""
