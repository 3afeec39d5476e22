"""Broken conversions that an audit must refute, and sound ones that it must pass."""
