"""Write the out-of-sample report: one page, the same numbers as HTML, Markdown and JSON."""
