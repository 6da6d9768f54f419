"""`make truth`: markets with a known answer, taken through the real DAG."""
