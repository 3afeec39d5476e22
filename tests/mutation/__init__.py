"""Would the tests notice a fault in the verifier? Its functions with one fault each, against its tests."""
