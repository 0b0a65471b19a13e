"""LinearBaseline: what a linear model on n-grams reaches on the same splits as the network."""
