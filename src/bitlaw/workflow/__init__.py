"""The Python API: rooms composed, nothing else."""
