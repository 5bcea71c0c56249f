"""What the page shows, with NiceGUI."""
