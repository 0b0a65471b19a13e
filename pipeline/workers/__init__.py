"""Processes in which the executors of a local run work: each is a fork of one that imports ahead.

The imports of a run take a third of its time: they go on while the first steps run, on another
core, and hardly one is repeated. A step leaves neither threads, memory nor a GPU's memory behind,
and if it is killed, the run lives on to tell.
"""
