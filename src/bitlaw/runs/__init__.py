"""What was measured: read, map, validate and exclude logged training runs."""
