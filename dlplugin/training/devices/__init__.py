"""Where a training runs: what a machine has, and processes that share every batch."""
