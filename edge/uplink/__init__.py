"""From the box to the cloud and to the household's own broker: kept until it is acknowledged, nothing twice."""
