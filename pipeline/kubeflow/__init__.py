"""What runs inside of a task of Kubeflow Pipelines; pipeline/kubeflow_runner.py makes the tasks."""
