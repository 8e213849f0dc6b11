"""What a package can do when it is imported."""

raise ValueError("not on\n this machine")
