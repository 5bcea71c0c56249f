"""The web server of the page: guard, routes, dropped files."""
