"""The look-ahead audit: change every later tick, run again, and name what noticed."""
