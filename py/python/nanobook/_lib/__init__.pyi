from nanobook._lib import frame as frame
from nanobook._lib import itch as itch

__version__: str
