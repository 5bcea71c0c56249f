@echo off
rem Sets everything up in .venv, then runs ruff, mypy and pytest.
setlocal
rem The newest Python on a machine may be too new; without a fitting one bootstrap.py says so.
set "python=python"
for %%v in (3.11 3.12 3.13) do py -%%v -V >nul 2>nul && set "python=py -%%v"
%python% "%~dp0bootstrap.py" test %*
