from . import backtest as backtest
from . import book as book
from . import broker as broker
from . import classic as classic
from . import cv as cv
from . import exchange as exchange
from . import frame as frame
from . import itch as itch
from . import optimize as optimize
from . import probe as probe
from . import risk as risk
from . import stats as stats
from . import ta as ta
from . import volatility as volatility

__version__: str
