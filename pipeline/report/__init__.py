"""The page of a run, and the comparison of two, as HTML that needs nothing else."""
