"""Remake the committed pictures from the figures of a finished default run: `make pictures`."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
WIDTH = 900  # pixels
PICTURES = {
    "learning_curve": "molecules/learning_curve.png",
    "images": "images/learning_curve.png",
    "augmentation": "augmentation/difference.png",
    "sine": "sine/ensemble.png",
    "freezing": "sine/freezing.png",
    "corrections": "corrections/first_order.png",
    "criticality": "criticality/depth.png",
    "scale": "scale/deviations.png",
}

for name, source in PICTURES.items():
    figure = Image.open(ROOT / "results/default" / source).convert("RGB")
    size = (WIDTH, round(figure.height * WIDTH / figure.width)) if figure.width > WIDTH else figure.size
    small = figure.resize(size, Image.Resampling.LANCZOS).quantize(64)  # flat colours: a third of the bytes
    small.save(ROOT / "docs/pictures" / f"{name}.png", optimize=True)
    print(f"docs/pictures/{name}.png")
