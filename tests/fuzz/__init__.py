"""Every reader of foreign bytes, under bytes that nobody wrote for it."""
