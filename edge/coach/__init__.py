"""What movement means: which exercise, how many repetitions, and how they went."""
