"""From a stack to what is built: the spec, the model as FDL text and as code, its diagrams, the scaffold."""
