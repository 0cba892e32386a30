"""Pipeline: one file through it once. `import_file` is the one door that admin, API, commands and tasks call."""

from imports.pipeline.beating import Progress
from imports.pipeline.ending import Release
from imports.pipeline.importing import Witness, import_file
from imports.pipeline.requesting import ImportRequest, Origin

__all__ = ["ImportRequest", "Origin", "Progress", "Release", "Witness", "import_file"]
