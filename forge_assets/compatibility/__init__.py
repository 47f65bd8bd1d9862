"""What goes together: constraints with sources, the graph of components, memory and compute arithmetic, and the best stack of all."""
