"""Names that works bring up and the ontology lacks, for a person to accept or to reject."""
