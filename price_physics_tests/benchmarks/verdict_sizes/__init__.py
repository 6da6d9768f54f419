"""How often the verdict is wrong, and how often it is right: simulated, with targets."""
