"""Every implementation beside itself must be lossless."""
