"""Stage 4b, `Pipeline` to `Bundle`: pure; one file a target."""
