"""The target `argo`: Argo Workflows."""
