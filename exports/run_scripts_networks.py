"""`run.py` in the bundle of a network that reads no text: it classifies picture files, or predicts from numbers."""

from __future__ import annotations

from core.models.network_config import CnnConfig, NetworkConfig

_PICTURES = '''"""Classifies pictures. `pip install onnxruntime pillow numpy`, then `python run.py picture.png`."""
import pathlib, sys, numpy as np, onnxruntime
from PIL import Image, ImageOps
here = pathlib.Path(__file__).parent
model = onnxruntime.InferenceSession(here / "model.onnx", providers=[{provider!r}])
for name in sys.argv[1:]:
    picture = ImageOps.exif_transpose(Image.open(name)).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert({mode!r})
    picture = picture.resize(({size}, {size}), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, np.float32).reshape({size}, {size}, -1).transpose(2, 0, 1)[None] / np.float32(255)
    scores = model.run(None, {{"input": pixels}})[0][0].astype(np.float64)
    scores = {scores}
    print(name, dict(zip({labels!r}, scores.round(4).tolist())))
'''

_NUMBERS = '''"""Predicts {target}. `pip install onnxruntime numpy`, then `python run.py {usage}`."""
import pathlib, sys, numpy as np, onnxruntime
here = pathlib.Path(__file__).parent
features = {features!r}
model = onnxruntime.InferenceSession(here / "model.onnx", providers=[{provider!r}])
row = [float(value) for value in sys.argv[1:]] or {typical!r}  # the mean of what it learned from
assert len(row) == len(features), f"{{len(row)}} numbers for {{len(features)}} features: {{features}}"
print({target!r}, float(model.run(None, {{"input": np.array([row], np.float32)}})[0][0, 0]))
'''


def network_script(shape: NetworkConfig, *, device: str) -> str:
    """What stands in run.py. Names of the user's own go in as Python literals alone."""
    provider = f"{device.upper()}ExecutionProvider"
    if isinstance(shape, CnnConfig):
        one = "(lambda e: e / e.sum())(np.exp(scores - scores.max()))"
        two = "(lambda p: np.array([1 - p, p]))(1 / (1 + np.exp(-scores[0])))"
        return _PICTURES.format(
            provider=provider,
            mode="RGB" if shape.colours == 3 else "L",
            size=shape.size,
            scores=two if shape.outputs == 1 else one,
            labels=list(shape.labels),
        )
    typical = [round(value, 4) for value in shape.typical]
    return _NUMBERS.format(
        target="a number",
        usage=" ".join(f"{value:g}" for value in typical[:6]) + (" …" if len(typical) > 6 else ""),
        features=list(shape.features),
        provider=provider,
        typical=typical,
    ).replace("print('a number', ", f"print({shape.target!r}, ")
