"""Documentation: volumes of pages of which every sentence stands in a source; Markdown, a site and a PDF of them."""
