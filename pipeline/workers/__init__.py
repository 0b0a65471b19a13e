"""Processes in which the executors of a local run work: forks of one that has imported all.

The imports of a run take a third of its time: they go on while the first steps run, on another
core, and no process repeats them. A step leaves neither threads, memory nor a GPU's memory behind,
and if it is killed, the run lives on to tell.
"""
