"""Files fetched once, checked, and never left half-written under their final name."""

import logging
import os
from pathlib import Path

from tqdm import tqdm

from ntkfield.extras import needs

with needs("images", __name__):
    import pooch
    import requests

logger = logging.getLogger("ntkfield")
TIMEOUT = 30.0  # seconds without a byte


class _Progress:
    """What pooch reports to: a bar on a terminal, a line every tenth in a log."""

    def __init__(self, label: str) -> None:
        self.total = 0  # set by pooch
        self._label = label
        self._done = 0
        self._bar = tqdm(desc=label, unit="B", unit_scale=True, disable=None, leave=False)

    def update(self, size: int) -> None:
        before, self._done = self._done, self._done + size
        self._bar.total = self.total or None
        self._bar.update(size)
        if self.total and 10 * self._done // self.total > 10 * before // self.total:
            logger.info("%s: %d %%", self._label, min(100, 100 * self._done // self.total))

    def reset(self) -> None:
        """Pooch counts once more from the start when all is there, to fill its own bar; nothing to show."""
        self.total = 0

    def close(self) -> None:
        self._bar.close()


def fetch(url: str, md5: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The path of a file, downloaded on the first call and found there ever after.

    The file is written under a temporary name, compared with its checksum and renamed, so that an interrupted or
    damaged download leaves nothing under the final name. A file there that is not the one meant is replaced.

    Args:
        url: where it lies; its last part is the file's name.
        md5: checksum, in hexadecimal.
        folder: where it is kept; None for the user's cache folder.

    Raises:
        OSError: if it cannot be downloaded.
        ValueError: if what was downloaded is not the file meant.
    """
    name = url.rsplit("/", 1)[-1]
    folder = Path(pooch.os_cache("ntkfield") if folder is None else folder)
    progress = _Progress(f"downloading {name}")
    try:
        # Documented by pooch, whose annotations know neither a bar of one's own nor what its downloaders return.
        downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)  # pyright: ignore[reportArgumentType]
        found = pooch.retrieve(url, f"md5:{md5}", name, folder, downloader=downloader)  # pyright: ignore[reportArgumentType]
        return Path(found)
    except requests.exceptions.RequestException as error:
        raise OSError(
            f"{url} could not be downloaded ({type(error).__name__}): try again, or give the path of a copy"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"{url} gave a file whose checksum is not {md5}: try again, or give the path of a good copy"
        ) from error
    finally:
        progress.close()
