"""The three stages: probing, targeted fine-tuning, few-shot."""
