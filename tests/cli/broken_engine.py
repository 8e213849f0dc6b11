"""A package's engine that fails while it is imported."""

raise RuntimeError("no driver\nwas found")
