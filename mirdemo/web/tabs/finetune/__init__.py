"""What stands behind the Fine-tune tab: looking ahead, training in a process of its own, what was found."""
