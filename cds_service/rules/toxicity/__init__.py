"""What a treatment does: differentiation, tumour lysis, liver and vessels, and the tests that look for it."""
