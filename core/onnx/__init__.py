"""A model becomes an ONNX model, and is proved to be the same model."""
