from . import backtest as backtest
from . import book as book
from . import exchange as exchange
from . import frame as frame
from . import itch as itch
from . import probe as probe
from . import risk as risk

__version__: str
