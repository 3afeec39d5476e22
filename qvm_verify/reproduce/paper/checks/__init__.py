"""The checks of the paper's sentences, a module for each part of the paper, by the sentences' ids."""
