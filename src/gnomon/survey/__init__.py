"""What to ask and when; asking it; going on after an interruption.

What judges needs little of it: so each part is imported by its name.
"""
