"""Tests of price_physics.ticks."""
