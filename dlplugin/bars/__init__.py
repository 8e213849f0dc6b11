"""What bars are and where they come from: checks, DataSets, folders, the bundled sets."""

from dlplugin.bars.bundled import BUNDLED
from dlplugin.bars.checks import check_bars
from dlplugin.bars.dataset import DataSet
from dlplugin.bars.findings import Finding
from dlplugin.bars.fingerprint import fingerprint_bars
from dlplugin.bars.gather import examine_folder
from dlplugin.bars.grades import grades_table
from dlplugin.bars.yahoo import Moment

__all__ = [
    "BUNDLED",
    "DataSet",
    "Finding",
    "Moment",
    "check_bars",
    "examine_folder",
    "fingerprint_bars",
    "grades_table",
]
