"""Moved to pipeline.report."""

from pipeline.report.headline import headline
from pipeline.report.page import PAGE, run_page

__all__ = ["PAGE", "headline", "run_page"]
