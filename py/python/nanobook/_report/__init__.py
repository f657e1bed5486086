"""Pictures and pages of backtests: SVG and HTML without any dependency but NumPy."""
