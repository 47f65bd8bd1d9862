"""What goes together: constraints with their sources, the graph of components, memory and compute arithmetic, and the best stack under all of it."""
