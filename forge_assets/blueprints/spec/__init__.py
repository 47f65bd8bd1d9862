"""The build plan of a blueprint: every number and choice of a training infrastructure, each with where it comes from."""
