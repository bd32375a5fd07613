"""Sample sets that scikit-learn ships: its digits as PNG files, its diabetes study as a CSV."""

from __future__ import annotations

from pathlib import Path


def write_digits(folder: Path) -> None:
    """1,797 images of 8 x 8 pixels, a folder a digit: `7/0123.png` is the 123rd image of the set."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    for place, (pixels, digit) in enumerate(zip(found.images, found.target, strict=True)):
        grey = (pixels * (255 / 16)).round().astype("uint8")  # they are stored as 0 to 16
        target = folder / "digits" / str(digit)
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey).save(target / f"{place:04d}.png")


def write_diabetes(folder: Path) -> None:
    """442 patients: ten measurements, not scaled, and how far the disease went within a year."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes(as_frame=True, scaled=False)
    frame = found.frame.rename(columns={"target": "progression"})
    frame.to_csv(folder / "diabetes.csv", index=False)
