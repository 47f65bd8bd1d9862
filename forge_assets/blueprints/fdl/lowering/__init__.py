"""From index notation to whole-array operations, which the array back-ends (PyTorch, JAX) print one by one."""
