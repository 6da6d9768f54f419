"""The pipeline without Dagster: the DAG as a table, versions, what is stale, what is published."""
