"""The target `kfp`: Kubeflow Pipelines."""
