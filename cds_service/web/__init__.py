"""HTTP in and out, with Flask, and nowhere else."""
