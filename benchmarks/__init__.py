"""What is measured, and against whom; results are printed, never written by hand."""
