"""How good is the verifier itself? One command measures it and prints the scorecard."""
