"""Tests of price_physics.bars."""
