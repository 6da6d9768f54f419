"""What `price-physics` can do besides running the DAG: one verb a module."""
