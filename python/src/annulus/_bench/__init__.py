"""What `python -m annulus` runs."""
