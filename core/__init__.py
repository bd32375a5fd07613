"""The Groundwork engine: models, ONNX, generation and the record. Knows nothing of Streamlit."""

__version__ = "0.1.0"
