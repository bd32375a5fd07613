"""A request becomes tokens: one decode loop and one sampler for every backend."""
