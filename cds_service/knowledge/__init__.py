"""What medicine knows: dated, sourced statements in YAML, and the code that loads and checks them."""
