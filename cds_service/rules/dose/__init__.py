"""How much: the label's dose, the kidney, the liver, venetoclax's ramp-up."""
