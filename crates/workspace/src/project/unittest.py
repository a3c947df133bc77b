# Runs every test below this folder: each file test_*.py, wherever it is.
import os
import unittest

files = []
for folder, inner, names in os.walk("."):
    inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in ("node_modules", "__pycache__"))
    tests = (name for name in sorted(names) if name.startswith("test_") and name.endswith(".py"))
    files.extend(os.path.relpath(os.path.join(folder, name)) for name in tests)
unittest.main(module=None, argv=["unittest", "-v", *files])
