"""What leaves the house: files that a person takes away."""
