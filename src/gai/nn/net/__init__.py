"""The rooms that import torch: models, losses, the training loop, and what asks a trained model."""
