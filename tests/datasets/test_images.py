import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ntkfield import store
from ntkfield.datasets import images

RNG = np.random.default_rng(0)
MNIST_ARRAYS = {
    "x_train": RNG.integers(256, size=(5, 28, 28), dtype=np.uint8),
    "y_train": np.array([0, 9, 3, 3, 1], np.uint8),
    "x_test": RNG.integers(256, size=(2, 28, 28), dtype=np.uint8),
    "y_test": np.array([7, 2], np.uint8),
}
PATHMNIST_ARRAYS = {
    f"{part}_{what}": value
    for part in ("train", "val", "test")
    for what, value in (
        ("images", RNG.integers(256, size=(2, 28, 28, 3), dtype=np.uint8)),
        ("labels", np.array([[8], [0]], np.uint8)),
    )
}


def arff(arrays):
    pixels = [f"@ATTRIBUTE pixel{k} real" for k in range(1, 785)]
    rows = [
        ",".join(map(str, image.ravel())) + f",{label}"
        for part in ("train", "test")
        for image, label in zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)
    ]
    head = ["% MNIST", "@RELATION mnist_784", *pixels, "@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}", "@DATA"]
    return "\n".join([*head, *rows]) + "\n"


def check_layout(dataset, shape, n_classes):
    image, label = dataset["image"], dataset["label"]
    assert image.dims == ("sample", "row", "column", "channel")
    assert image.shape == shape
    assert image.dtype == np.float64
    assert image.min() >= 0
    assert image.max() <= 1
    assert label.dims == ("sample",)
    assert label.dtype == np.int64
    assert dataset.attrs["n_classes"] == n_classes
    assert dataset.attrs["source"]


def test_digits_are_those_of_scikit_learn(tmp_path):
    dataset = images.digits()
    check_layout(dataset, (1797, 8, 8, 1), 10)
    assert dataset["image"].max() == 1
    np.testing.assert_array_equal(dataset["image"][..., 0] * 16, load_digits().images)
    np.testing.assert_array_equal(dataset["label"], load_digits().target)
    store.save(dataset, tmp_path / "digits.zarr.zip")
    assert store.load(tmp_path / "digits.zarr.zip").drop_attrs().identical(dataset.drop_attrs())


def test_mnist_from_a_file_of_arrays(tmp_path):
    np.savez(tmp_path / "mnist.npz", **MNIST_ARRAYS)
    dataset = images.mnist(tmp_path / "mnist.npz")
    check_layout(dataset, (7, 28, 28, 1), 10)
    np.testing.assert_array_equal(dataset["image"][5:, ..., 0] * 255, MNIST_ARRAYS["x_test"])
    assert dataset["label"].values.tolist() == [0, 9, 3, 3, 1, 7, 2]


def test_both_forms_of_mnist_agree(tmp_path):
    np.savez(tmp_path / "mnist.npz", **MNIST_ARRAYS)
    (tmp_path / "mnist.arff").write_text(arff(MNIST_ARRAYS))
    assert images.mnist(tmp_path / "mnist.arff").identical(images.mnist(tmp_path / "mnist.npz"))


def test_pathmnist_from_a_file(tmp_path):
    np.savez(tmp_path / "pathmnist.npz", **PATHMNIST_ARRAYS)
    dataset = images.pathmnist(tmp_path / "pathmnist.npz")
    check_layout(dataset, (6, 28, 28, 3), 9)
    np.testing.assert_array_equal(dataset["image"][2:4] * 255, PATHMNIST_ARRAYS["val_images"])
    assert dataset["label"].values.tolist() == [8, 0] * 3


def test_downloads_go_through_the_checked_door(tmp_path, monkeypatch):
    asked = []

    def fetch(url, md5, folder):
        asked.append((url, md5, folder))
        name = url.rsplit("/", 1)[-1]
        if name.endswith(".arff"):
            (tmp_path / name).write_text(arff(MNIST_ARRAYS))
        else:
            np.savez(tmp_path / name, **PATHMNIST_ARRAYS)
        return tmp_path / name

    monkeypatch.setattr(images, "fetch", fetch)
    assert images.mnist(folder="here").sizes["sample"] == 7
    assert images.pathmnist(folder="there").sizes["sample"] == 6
    assert asked == [
        (images.MNIST_URL, images.MNIST_MD5, "here"),
        (images.PATHMNIST_URL, images.PATHMNIST_MD5, "there"),
    ]
    assert all(len(md5) == len(hashlib.md5().hexdigest()) for _, md5, _ in asked)


@pytest.mark.parametrize("read", [images.mnist, images.pathmnist])
def test_missing_and_damaged_files_are_named(read, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.npz', where no file lies"):
        read(tmp_path / "absent.npz")
    (tmp_path / "prose.npz").write_text("prose")
    with pytest.raises(ValueError, match=r"prose\.npz', which is no \.npz file with the arrays \w+, "):
        read(tmp_path / "prose.npz")
    np.savez(tmp_path / "other.npz", x_train=1)
    with pytest.raises(ValueError, match=r"which is no \.npz file with the arrays"):
        read(tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": np.zeros((2, 28, 27), np.uint8)}, r"x_test in .* has uint8 \(2, 28, 27\) and 2 labels, but"),
        ({"x_test": np.zeros((2, 28, 28))}, "x_test in .* has float64"),
        ({"y_test": np.array([1])}, "and 1 labels"),
        ({"y_test": np.array([1, 10])}, "labels other than the whole numbers 0 to 9"),
        ({"y_test": np.array([1.0, 2.0])}, "labels other than the whole numbers 0 to 9"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, change, message):
    np.savez(tmp_path / "mnist.npz", **MNIST_ARRAYS | change)
    with pytest.raises(ValueError, match=message):
        images.mnist(tmp_path / "mnist.npz")


@pytest.mark.parametrize(
    "text", ["", "@DATA\n1,2,3\n", "@DATA\n" + "x," * 784 + "0\n", "@DATA\n" + "256," * 784 + "0\n"]
)
def test_wrong_tables_are_refused(tmp_path, text):
    (tmp_path / "mnist.arff").write_text(text)
    with pytest.raises(ValueError, match=r"which is no \.arff file with 784 pixels"):
        images.mnist(tmp_path / "mnist.arff")
