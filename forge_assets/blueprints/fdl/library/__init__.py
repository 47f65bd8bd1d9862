"""FDL texts of the ontology's components: a folder per slot, a file per component or per family that one text serves."""
