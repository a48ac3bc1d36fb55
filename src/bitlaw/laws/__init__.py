"""What could be true: pure formulas composed of small terms, and their priors."""
