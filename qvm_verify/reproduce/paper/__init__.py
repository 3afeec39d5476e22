"""What the paper prints: its tables and its sentences as data, and whether they agree with one another."""
