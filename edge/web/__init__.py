"""The dashboard's server: HTTP API, live WebSocket, metrics, and who may reach them."""
