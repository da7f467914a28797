"""What stands around every page: navigation, presenter mode, the shared services, the visitor."""
