"""The web server of the page: access control, routes, uploads."""
