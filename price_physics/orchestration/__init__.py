"""The only place that knows Dagster or MLflow: it wires stages together and runs them."""
