"""Legend, labels, styles and fonts; the figure, the web map, the chart and the tables."""
