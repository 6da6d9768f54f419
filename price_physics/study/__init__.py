"""Markets and studies: the pydantic models of ``configs/*.yaml``, a module a section."""
