"""What a model does on this machine, beside what the machine could do."""
