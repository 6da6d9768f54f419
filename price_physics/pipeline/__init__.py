"""The pipeline without Dagster: the DAG as a table, versions, freshness, published files."""
