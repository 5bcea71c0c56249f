@echo off
rem Sets everything up in .venv, then runs ruff, mypy and pytest.
py -3 "%~dp0bootstrap.py" test %*
