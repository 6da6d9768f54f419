"""The no-look-ahead audit: change the future, run again, demand the same past byte for byte."""
