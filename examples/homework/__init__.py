"""A course homework on optimisation, automatic differentiation and CIFAR-10, with our engine.

Run a part with `python -m examples.homework.NAME`; NAME is part1, part2, part3, toy_net or filters.
"""
