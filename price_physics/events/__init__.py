"""Bars -> which of them are events; when one ends, and by what, is for `labels` to say."""
