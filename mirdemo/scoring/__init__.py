"""Folds, metrics, intervals, the permutation test and verdicts: computed here and nowhere else."""
