"""The pyarrow schema of every table that the pipeline stores, a module a stage."""
