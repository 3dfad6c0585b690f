"""Takes in what boxes send over MQTT: committed to the database first, acknowledged after."""
