"""What the EHR can tell us: prefetch first, then its FHIR server. Interprets no medicine."""
