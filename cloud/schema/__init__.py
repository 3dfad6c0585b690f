"""The database: migrations, the columns that come from the metric catalogue, rollups and retention."""
