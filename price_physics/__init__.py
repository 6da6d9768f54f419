"""price_physics: do pictures of price predict what comes next, after costs?

The pipeline is the table of contents; see ``README.md`` for the tree. Importing this package
loads nothing.
"""

__version__ = "0.1.0"
