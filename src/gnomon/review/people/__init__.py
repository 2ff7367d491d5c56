"""The people: accounts, signing in and out."""
