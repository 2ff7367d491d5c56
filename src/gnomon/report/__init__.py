"""The report: a frozen model of a judged run and a review's findings, and its HTML form. Extra `report`."""

from gnomon.report.frozen import check_report, freeze
from gnomon.report.html import render
from gnomon.report.model import Advice, Finding, Report, Review, Source, gather

__all__ = ["Advice", "Finding", "Report", "Review", "Source", "check_report", "freeze", "gather", "render"]
