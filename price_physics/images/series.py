"""The rows of a series, from which the windows of images are cut."""

CLOSE, VOLUME = 0, 1
