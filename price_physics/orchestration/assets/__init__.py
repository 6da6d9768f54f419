"""The assets: thin bodies that load, call one function of their stage, and hand over the result."""
