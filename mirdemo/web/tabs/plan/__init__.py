"""What stands behind the Plan tab: evidence from the other tabs, assumptions, the advice in words and charts."""
