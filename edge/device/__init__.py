"""The machine itself: what it has, and what keeps it from doing its work."""
