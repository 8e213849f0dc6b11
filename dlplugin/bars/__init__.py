"""What bars are and where they come from: checks, DataSets, folders, the bundled sets."""

from dlplugin.bars.bundled import BUNDLED
from dlplugin.bars.checks import check_bars
from dlplugin.bars.dataset import DataSet
from dlplugin.bars.fingerprint import fingerprint_bars
from dlplugin.bars.yahoo import Moment

__all__ = ["BUNDLED", "DataSet", "Moment", "check_bars", "fingerprint_bars"]
