"""A run in words."""

from __future__ import annotations

from examples.cifar10.runs.folder import Config


def describe(config: Config) -> str:
    """A run in two lines: the model and the images, and how it is trained."""
    recipe = config.recipe
    augmentation = [f"{recipe.flips} flips"] if recipe.flips else []
    augmentation += ["shifts"] if recipe.shift else []
    augmentation += ["cutout"] if recipe.cutout else []
    start = "" if config.weights is None else f" from {config.weights}"
    if config.new_classifier:
        start += " with a new classifier"
    optimizers = {group.optimizer: None for group in recipe.groups}
    names = " and ".join({"sgd": "SGD", "muon": "Muon"}[kind] for kind in optimizers)
    return (
        f"{config.model}{start}: {config.parameters} parameters; {config.data_source}: "
        f"{config.train_images} training, {config.validation_images} validation, "
        f"{config.test_images} test images\n"
        f"{config.preset} recipe: {recipe.epochs} epochs of batches of {recipe.batch_size}, "
        f"{names} at learning rate {recipe.lr:g} ({recipe.schedule}), "
        f"momentum {recipe.momentum:g}, {' and '.join(augmentation) or 'no augmentation'}, "
        f"seed {config.seed}"
    )
