"""UDP addresses, routes and ports, and which peers may connect."""
