"""What `--data` may say, and the one table of the loaders behind it.

    NAME[:PATH][?OPTION=VALUE[&OPTION=VALUE...]]

as in `cifar100:data/cifar-100-binary?split=train&normalize=imagenet`. The first "?" ends the path. `digits`
has no path, and may have its split there: `digits:train`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any

from torch.utils.data import Dataset

from qvm_verify.datasets.checksums import VERIFY
from qvm_verify.datasets.cifar import cifar10, cifar100
from qvm_verify.datasets.cifar10_dvs import ORIENTATIONS, cifar10dvs
from qvm_verify.datasets.cifar10_dvs import SPLITS as DVS_SPLITS
from qvm_verify.datasets.dvs128_gesture import dvs128gesture
from qvm_verify.datasets.events import UNSORTED
from qvm_verify.datasets.files import is_whole_number
from qvm_verify.datasets.handwritten_digits import digits
from qvm_verify.datasets.image_folder import SPLITS as IMAGENET_SPLITS
from qvm_verify.datasets.image_folder import imagenet
from qvm_verify.datasets.image_zip import imagezip
from qvm_verify.datasets.images import COLOUR, GREY
from qvm_verify.datasets.mnist import mnist
from qvm_verify.datasets.nmnist import nmnist
from qvm_verify.datasets.npz import arrays
from qvm_verify.exits import InputError

NUMBER = ("N",)  # the option takes an integer of at least 1
LARGEST = 2**40


@dataclass(frozen=True, kw_only=True)
class Loader:
    """A dataset that `--data` can name; the values of an option begin with its default, or are NUMBER."""

    open: Callable[..., Dataset[Any]]
    path: bool = True
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


SPLITS = {"split": ("test", "train")}
FRAMES = {"frames": NUMBER, "duration": NUMBER, "size": NUMBER, "unsorted": UNSORTED}


def _first(default: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return (default, *(value for value in values if value != default))


LOADERS: Mapping[str, Loader] = {
    "digits": Loader(open=digits, path=False, options=SPLITS),
    "npz": Loader(open=arrays),
    "cifar10": Loader(
        open=cifar10, options={**SPLITS, "normalize": _first("cifar10", COLOUR), "verify": VERIFY}
    ),
    "cifar100": Loader(
        open=cifar100, options={**SPLITS, "normalize": _first("cifar100", COLOUR), "verify": VERIFY}
    ),
    "imagezip": Loader(
        open=imagezip, options={**SPLITS, "size": NUMBER, "normalize": _first("cifar10", COLOUR)}
    ),
    "imagenet": Loader(
        open=imagenet,
        options={"split": IMAGENET_SPLITS, "size": NUMBER, "normalize": _first("imagenet", COLOUR)},
    ),
    "mnist": Loader(open=mnist, options={**SPLITS, "normalize": _first("none", GREY), "verify": VERIFY}),
    "nmnist": Loader(open=nmnist, options={**SPLITS, **FRAMES}),
    "cifar10dvs": Loader(
        open=cifar10dvs, options={"split": DVS_SPLITS, **FRAMES, "orientation": ORIENTATIONS}
    ),
    "dvs128gesture": Loader(open=dvs128gesture, options={**SPLITS, **FRAMES}),
}
SPECIFICATIONS = "digits[:train], npz:PATH, or NAME:PATH[?split=train&...] with NAME " + ", ".join(
    name for name in LOADERS if name not in ("digits", "npz")
)


def open_dataset(specification: str) -> Dataset[Any]:
    """Return the dataset that `--data` names, of (image [C, H, W] float32, label) pairs.

    Nothing is downloaded. Raises InputError where the name, an option or its value is unknown, the data
    cannot be read, or there is no image in it.
    """
    name_and_path, _, options_text = specification.partition("?")
    name, _, path = name_and_path.partition(":")
    loader = LOADERS.get(name)
    if name == "digits" and path in ("train", "test") and not options_text:
        path, options_text = "", f"split={path}"
    if loader is None or loader.path != bool(path):
        raise InputError(f"unknown data {specification!r}; one of {SPECIFICATIONS}")
    options = _options(name, loader, options_text)
    try:
        dataset = loader.open(path, **options) if path else loader.open(**options)
    except OSError as error:  # a path that the system cannot even look for
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    if isinstance(dataset, Sized) and len(dataset) == 0:
        raise InputError(f"{path}: holds no image")
    return dataset


def classes_of(dataset: Dataset[Any]) -> int | None:
    """Return how many classes a dataset has, seen or not; None where nobody knows."""
    return getattr(dataset, "classes", None)


def _options(name: str, loader: Loader, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in text.split("&") if text else ():
        key, _, value = part.partition("=")
        values = loader.options.get(key)
        if values is None or key in options:
            what = f"{part!r} a second time" if values else f"no option {key!r}"
            raise InputError(f"{name}: {what}; it has {_described(loader)}")
        if values is NUMBER:
            options[key] = _number(name, key, value)
        elif value in values:
            options[key] = value
        else:
            raise InputError(f"{name}: {key}={value}, and must be one of {', '.join(values)}")
    return options


def _number(name: str, key: str, value: str) -> int:
    if not (is_whole_number(value) and 1 <= int(value) <= LARGEST):
        raise InputError(f"{name}: {key}={value:.30}, and must be an integer of at least 1")
    return int(value)


def _described(loader: Loader) -> str:
    options = [f"{key}={'|'.join(values)}" for key, values in loader.options.items()]
    return ", ".join(options) or "no options"
