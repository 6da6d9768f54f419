"""One module a peer, run by the peer's own interpreter; ``<peer>.txt`` pins what it installs.

A module imports its peer inside functions: this project never has the package.
"""
