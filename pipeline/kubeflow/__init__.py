"""What runs inside of a task of Kubeflow Pipelines; pipeline/kubeflow_*.py make the tasks."""
