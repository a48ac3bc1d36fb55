"""What to do: predicted loss, optimal precision, post-training quantization safety."""
