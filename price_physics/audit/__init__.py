"""The look-ahead audit: change every later tick, run again, name earlier results that changed."""
