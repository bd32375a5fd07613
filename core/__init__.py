"""The Groundwork engine: models, ONNX, generation and the record. Knows nothing of Streamlit."""

import os

# torch's threads sleep while they wait for each other, instead of spinning: beside a browser and a server, on as many
# cores as threads, spinning takes six times as long (docs/decisions.md). OpenMP reads this when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
