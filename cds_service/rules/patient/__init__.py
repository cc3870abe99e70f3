"""What this patient must not be given: allergy, pregnancy, breastfeeding."""
