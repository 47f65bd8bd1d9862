"""Diagrams of a blueprint: its model at three depths (system, block, tensor) and the pipeline of the whole infrastructure.

A checked FDL program or a stack goes in, a `Picture` (compatibility/graph/drawing) comes out, which is written as DOT, Mermaid and draw.io.
"""
