"""Hands a compiled pipeline to Kubeflow Pipelines, starts or schedules runs, watches them."""
