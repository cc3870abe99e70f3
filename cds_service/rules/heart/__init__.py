"""The heart: QTc at the start and over time, its electrolytes, and the cardiac limits of the drugs."""
