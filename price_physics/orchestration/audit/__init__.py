"""The no-look-ahead audit: change the future, run again, and demand the same past, byte for byte."""
