"""The embedded sweep, and the hardware table."""
