"""From where on leaving a run out asks for a refit, and a refit is not to be used."""

HIGHEST_PARETO_K = 0.7
"""Beyond it importance sampling says nothing reliable about a left-out run (arXiv 1507.02646)."""

HIGHEST_RHAT = 1.05
"""Of a refit, which needs a predictive density and no tails; a short one beyond it is sampled again, longer."""

FEWEST_DRAWS = 10.0
"""That the density of a left-out run may rest on: with fewer, ln of their mean is off by .3 nats or more."""
