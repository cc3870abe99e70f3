"""What is known of this patient, each thing with its time, its origin, or the reason it is not known."""
