"""Training image classifiers on CIFAR-10: `python -m examples.cifar10 --help`."""
