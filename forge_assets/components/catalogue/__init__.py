"""The catalogue: what all works together say of each component, and which names the ontology lacks."""
