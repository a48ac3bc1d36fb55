"""Whether to believe it: convergence, design, contraction and predictive findings."""
