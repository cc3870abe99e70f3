"""Where the patient stands and what can be done: scope, work-up, fitness, targets, options."""
