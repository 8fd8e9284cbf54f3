"""The target `github-actions`: GitHub Actions."""
