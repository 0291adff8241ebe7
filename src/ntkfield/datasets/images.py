"""Images with labels: scikit-learn's digits, MNIST, and the histology patches of PathMNIST.

All come in one layout, ``image[sample, row, column, channel]`` in float64 from 0 to 1 and ``label[sample]`` from 0,
with the attributes ``source`` and ``n_classes``.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ntkfield.datasets.download import fetch
from ntkfield.extras import needs

with needs("images", __name__):
    from sklearn.datasets import load_digits
    from sklearn.utils import Bunch

# OpenML's data set 554: all 70,000 images, the training set first. The checksum is the one that OpenML states.
MNIST_URL = "https://openml.org/data/v1/download/52667/mnist_784.arff"
MNIST_MD5 = "0298d579eb1b86163de7723944c7e495"
# MedMNIST v2 at 28 x 28 pixels; the checksum is the one that the package medmnist states.
PATHMNIST_URL = "https://zenodo.org/records/10519652/files/pathmnist.npz"
PATHMNIST_MD5 = "a8b06965200029087d5bd730944a56c1"

PathLike = str | os.PathLike[str]


def digits() -> xr.Dataset:
    """Scikit-learn's 1,797 handwritten digits of 8 x 8 pixels; nothing is downloaded.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI repository, doi:10.24432/C50P49).
    """
    bunch = load_digits()
    assert isinstance(bunch, Bunch)  # no tuple was asked for
    return _dataset(bunch.images, 16, bunch.target, 10, "digits of scikit-learn (doi:10.24432/C50P49)")


def mnist(path: PathLike | None = None, folder: PathLike | None = None) -> xr.Dataset:
    """MNIST: 70,000 handwritten digits of 28 x 28 pixels, the training set first.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition (1998).

    Args:
        path: an .npz file with the arrays x_train, y_train, x_test and y_test, or OpenML's .arff file; None downloads
            the latter (about 120 MB) on the first call.
        folder: where the download is kept; None for the user's cache folder.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        OSError: if the download fails.
        ValueError: if the file is damaged or holds something else.
    """
    file = fetch(MNIST_URL, MNIST_MD5, folder) if path is None else _existing(path)
    if file.suffix == ".arff":
        images, labels = _read_arff(file, 28 * 28)
        images = images.reshape(-1, 28, 28)
    else:
        images, labels = _read_npz(file, [("x_train", "y_train"), ("x_test", "y_test")], (28, 28))
    _require_labels(file, labels, 10)
    return _dataset(images, 255, labels, 10, "MNIST (doi:10.1109/5.726791)")


def pathmnist(path: PathLike | None = None, folder: PathLike | None = None) -> xr.Dataset:
    """PathMNIST: 107,180 histology patches of 28 x 28 x 3 pixels in nine tissue classes.

    NCT-CRC-HE-100K (training set, then validation) and CRC-VAL-HE-7K (test, from another clinic), scaled down.
    Source: Kather et al., PLOS Medicine 16, e1002730 (2019); Yang et al., MedMNIST v2, Scientific Data 10, 41 (2023).

    Args:
        path: the file pathmnist.npz; None downloads it (about 200 MB) on the first call.
        folder: where the download is kept; None for the user's cache folder.

    Raises:
        FileNotFoundError: if there is nothing at `path`.
        OSError: if the download fails.
        ValueError: if the file is damaged or holds something else.
    """
    file = fetch(PATHMNIST_URL, PATHMNIST_MD5, folder) if path is None else _existing(path)
    names = [(f"{part}_images", f"{part}_labels") for part in ("train", "val", "test")]
    images, labels = _read_npz(file, names, (28, 28, 3))
    _require_labels(file, labels, 9)
    return _dataset(images, 255, labels, 9, "PathMNIST of MedMNIST v2 (doi:10.5281/zenodo.10519652)")


def _dataset(images: np.ndarray, white: int, labels: np.ndarray, n_classes: int, source: str) -> xr.Dataset:
    images = images[..., None] if images.ndim == 3 else images
    return xr.Dataset(
        {
            "image": (("sample", "row", "column", "channel"), images / float(white), {"long_name": "brightness"}),
            "label": ("sample", labels.astype(np.int64), {"long_name": "class"}),
        },
        attrs={"source": source, "n_classes": n_classes},
    )


def _existing(path: PathLike) -> Path:
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"path is {str(path)!r}, where no file lies: give a file of images, or none to download"
        )
    return file


def _read_npz(file: Path, names: list[tuple[str, str]], shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images (uint8) and labels of all parts, one after the other."""
    wanted = ", ".join(name for pair in names for name in pair)
    try:
        with np.load(file, allow_pickle=False) as arrays:
            parts = [(arrays[images], arrays[labels]) for images, labels in names]
    except Exception as error:  # damage shows as almost any error of zipfile or numpy
        raise ValueError(f"path is {str(file)!r}, which is no .npz file with the arrays {wanted}") from error
    for (name, _), (images, labels) in zip(names, parts, strict=True):
        if images.dtype != np.uint8 or images.shape[1:] != shape or labels.size != len(images):
            expected = f"uint8 images [n, {', '.join(map(str, shape))}] with n labels"
            raise ValueError(
                f"{name} in {str(file)!r} has {images.dtype} {images.shape} and {labels.size} labels, but "
                f"{expected} are accepted"
            )
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels.ravel() for _, labels in parts])


def _read_arff(file: Path, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (uint8) [n, pixels] and labels of an ARFF file whose last column is the class."""
    try:
        with open(file, encoding="ascii") as lines:
            for line in lines:
                if line.strip().lower() == "@data":
                    break
            table = pd.read_csv(lines, header=None, quotechar="'", dtype=np.uint8, comment="%").to_numpy()
        if table.shape[1] != pixels + 1:
            raise ValueError
    except (ValueError, OverflowError) as error:  # pandas' errors and wrong encodings are ValueErrors
        raise ValueError(
            f"path is {str(file)!r}, which is no .arff file with {pixels} pixels from 0 to 255 and a class in each row"
        ) from error
    return table[:, :-1], table[:, -1]


def _require_labels(file: Path, labels: np.ndarray, n_classes: int) -> None:
    if labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0 or labels.max() >= n_classes:
        raise ValueError(f"{str(file)!r} holds labels other than the whole numbers 0 to {n_classes - 1}")
