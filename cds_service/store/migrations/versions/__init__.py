"""The steps: file names tell the order, the chain stands inside them."""
