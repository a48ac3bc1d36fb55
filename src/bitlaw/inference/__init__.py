"""What we now believe: the PyMC model, sampling, the Fit file, draws of the loss, simulation."""
