"""Tests of price_physics.study."""
