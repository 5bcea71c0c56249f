@echo off
rem Installs the project in .venv, then drives a face with the bundled sentence.
setlocal
rem The newest Python on a machine may be too new; if no supported one is found, bootstrap.py reports it.
set "python=python"
for %%v in (3.11 3.12 3.13) do py -%%v -V >nul 2>nul && set "python=py -%%v"
%python% "%~dp0bootstrap.py" demo %*
