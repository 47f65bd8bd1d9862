"""Parameters of models and training as texts state them: prose, tables and configurations -> `ParameterValue`s with spans."""
