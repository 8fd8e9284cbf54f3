"""The target `sagemaker`: SageMaker Pipelines."""
