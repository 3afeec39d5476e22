"""The paper's claims and their repairs, each stated once."""
