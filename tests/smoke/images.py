"""The digits, and the tools of a download."""

from ntkfield.datasets import download, images

assert images.digits()["image"].shape == (1797, 8, 8, 1)
assert callable(download.fetch)
