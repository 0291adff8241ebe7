"""The number of this version, which every stored result keeps."""

__version__ = "0.1.0"
