"""Sample sets: what each is made of, a module a set; `core.training.data.samples` lists them."""
