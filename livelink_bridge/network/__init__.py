"""UDP addresses, routes and ports, and access control for peers."""
