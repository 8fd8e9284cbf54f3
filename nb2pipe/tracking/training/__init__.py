"""Trainings that go on after a crash: the loop, what it saves, and how that is written and read."""
