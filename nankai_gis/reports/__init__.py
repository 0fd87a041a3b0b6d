"""Reports as a Word document or a page."""
