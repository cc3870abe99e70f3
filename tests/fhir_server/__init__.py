"""A strict FHIR R4 server of our own, for journeys in tests: real HTTP, in a process of its own.

It stores only what `fhir.resources` takes for R4, keeps references whole, knows the searches that we make and refuses
every other one, and misbehaves on demand: `/fhir` is the good server, `/with/FAULT/fhir` the same data with a fault
(`faults.FAULTS` lists them), `/with/FAULT:Observation/fhir` with the fault for that type only, `+` joins several.
"""
