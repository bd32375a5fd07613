"""What a trained model is worth: measures with their intervals, baselines, examples."""
