"""What each page shows: one folder per page, named as the page. No view imports another."""
