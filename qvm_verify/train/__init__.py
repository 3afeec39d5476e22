"""`python -m qvm_verify.train`: calibrate a network and fine-tune it with its quantized activations."""
