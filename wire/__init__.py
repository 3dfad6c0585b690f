"""The contract of edge and cloud: what a metric is called, what it means and what its unit is."""
