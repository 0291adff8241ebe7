"""Remake the committed pictures from the figures of finished runs, default and molecules: `make pictures`."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
WIDTH = 900  # pixels
PICTURES = {
    "learning_curve": "default/molecules/learning_curve.png",
    "images": "default/images/learning_curve.png",
    "augmentation": "default/augmentation/difference.png",
    "sine": "default/sine/ensemble.png",
    "freezing": "default/sine/freezing.png",
    "corrections": "default/corrections/first_order.png",
    "criticality": "default/criticality/depth.png",
    "scale": "default/scale/deviations.png",
    "thousand_molecules": "molecules/molecules/learning_curve.png",
}

for name, source in PICTURES.items():
    if not (ROOT / "results" / source).exists():
        print(f"docs/pictures/{name}.png left as it is: there is no results/{source}")
        continue
    figure = Image.open(ROOT / "results" / source).convert("RGB")
    size = (WIDTH, round(figure.height * WIDTH / figure.width)) if figure.width > WIDTH else figure.size
    resized = figure.resize(size, Image.Resampling.LANCZOS)
    small = resized.quantize(256, method=Image.Quantize.FASTOCTREE)  # flat colours, kept apart: half of the bytes
    small.save(ROOT / "docs/pictures" / f"{name}.png", optimize=True)
    print(f"docs/pictures/{name}.png")
