"""The limits that risk is graded by, all in one place, each with its reason."""

REFUSE_DECADES = 3.0
"""Parameters, tokens, their ratio or compute beyond the fitted runs at which nothing supports an answer: 1000x.

The splits of twelve public tables that drift is stated from span 2.4x to 2600x in compute: farther out there
is nothing that even the width of an interval could be stated from.
"""

REFUSE_BITS = 1.0
"""Bits below every measured one at which nothing supports an answer.

A penalty grows by a factor of 3 to 5 per bit (γ and c of .6 to .9 bits), and where capacity ends it
explodes: activations train at 4 bits and diverge at 3 (arXiv 2411.04330).
"""

HIGH_BITS = 0.5
"""Bits below every measured one from which risk is HIGH: half of the above, a factor of 2 in the penalty."""

HIGH_DECADES = 1.0
"""Decades from the convex hull of the fitted runs, or of tokens per parameter, from which risk is HIGH.

Beyond it there are few logged runs in any table to say how laws do.
"""

HIGH_STATED = 0.5
"""Share of the variance from the prior and drift together above which risk is HIGH.

Both are stated before the data: above one half, the number is more assumed than measured. They are added
so that a number does not look better where growing drift makes the prior's share small.
"""

MODERATE_STATED = 0.2
"""The same share from which risk is MODERATE: the interval would be 10 % narrower without it."""

HIGH_SENSITIVITY = 0.15
"""Prior sensitivity from which risk is HIGH: three times where its authors call a prior informative.

For a normal posterior: the mean moves by about three quarters of an SD when the prior's power doubles.
"""

FEWEST_RUNS = 12
"""Usable runs below which nothing is held out in a backtest, so that no risk is LOW."""

LOWEST_COVERAGE = 0.8
"""Share of left-out losses in 90 % intervals below which intervals beyond the data are called too narrow."""

POOR_COVERAGE = 0.6
"""Share of left-out losses in 90 % intervals below which risk is HIGH: intervals miss four times as often as
they say."""

FEWEST_PREDICTED = 10
"""Left-out losses from which a share of them counts.

Of 10 losses in intervals that hold 90 %, fewer than 8 lie inside with probability .07, and fewer than 6
with .002.
"""

LEAST_WEIGHT = 0.05
"""Stacking weight below which laws that answer otherwise do not make a disagreement: the data reject them."""
