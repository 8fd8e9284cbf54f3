"""Contracts of plug-ins: classes of tests that the tests of a plug-in inherit, here or in another distribution."""
